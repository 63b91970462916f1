"""`stepward logs` and `stepward doctor`: reading what functions said, and finding what is wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest

from stepward.cli import doctor, logs
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem

Stage = Callable[..., FakeApi]
LaptopFile = Callable[..., Path]


def a_line(second: int, message: str, **more: object) -> str:
    stamp = f"2026-11-05 10:00:{second:02},000+0000"
    return (
        json.dumps({"level": "INFO", "timestamp": stamp, "message": message, "service": "x", **more}) + "\n"
    )


@pytest.fixture
def log_dir(laptop_file: LaptopFile) -> Path:
    folder = laptop_file().parent / "logs"
    (folder / "runs_api.log").write_text(
        "START zero\n" + a_line(1, "first", run="run_01") + a_line(4, "fourth"), encoding="utf-8"
    )
    trace = "Traceback (most recent call last):\n  boom\n"
    (folder / "agent_advance.log").write_text(
        a_line(2, "second", level="error") + trace + a_line(3, "third"), encoding="utf-8"
    )
    return folder


def test_logs_of_all_rooms_are_merged_by_time(run: Run, log_dir: Path) -> None:
    lines = run("logs").out.splitlines()
    assert [
        next(w for w in ("zero", "first", "second", "Traceback", "boom", "third", "fourth") if w in line)
        for line in lines
    ] == [*("zero", "first", "second", "Traceback", "boom", "third", "fourth")]
    assert "10:00:02.000 ERROR" in lines[2]
    assert "run=run_01" in lines[1]


def test_logs_of_one_room_and_of_the_last_lines(run: Run, log_dir: Path) -> None:
    seen = run("logs", "agent_advance", "-n", "1")
    assert "third" in seen.out
    assert len(seen.out.splitlines()) == 1


def test_logs_as_json_keep_the_whole_record(run: Run, log_dir: Path) -> None:
    lines = [json.loads(line) for line in run("logs", "--json").out.splitlines()]
    assert lines[1]["room"] == "runs_api"
    assert lines[1]["record"]["run"] == "run_01"
    assert lines[3] == {"room": "agent_advance", "text": "Traceback (most recent call last):"}


def test_logs_can_be_read_after_the_laptop_has_stopped(run: Run, log_dir: Path) -> None:
    (log_dir.parent / "laptop.json").unlink()
    assert "first" in run("logs").out


def test_logs_name_the_rooms_that_there_are(run: Run, log_dir: Path) -> None:
    seen = run("logs", "../../etc/passwd")
    assert seen.code == 2
    assert "agent_advance, runs_api" in seen.err


def test_logs_without_a_laptop_say_where_logs_come_from(run: Run) -> None:
    seen = run("logs")
    assert seen.code == 2
    assert "stepward up" in seen.err


def test_following_gives_new_lines_of_old_and_new_rooms(
    run: Run, log_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_then_stop() -> Iterator[None]:
        with (log_dir / "runs_api.log").open("a", encoding="utf-8") as stream:
            stream.write(a_line(5, "fifth") + '{"half": ')
        (log_dir / "health.log").write_text(a_line(6, "sixth"), encoding="utf-8")
        yield
        (log_dir / "health.log").write_text("anew\n", encoding="utf-8")
        yield
        raise KeyboardInterrupt

    steps = write_then_stop()
    monkeypatch.setattr(logs.time, "sleep", lambda _: next(steps))
    seen = run("logs", "-f", "-n", "1")
    assert seen.code == 130
    assert [line.split()[0] for line in seen.out.splitlines()] == ["runs_api", "health", "runs_api", "health"]
    assert "half" not in seen.out


class FakeSocket:
    """A socket whose port is free, or taken."""

    taken = False

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def setsockopt(self, *_: object) -> None:
        pass

    def bind(self, _: object) -> None:
        if self.taken:
            raise OSError(98, "Address already in use")


@pytest.fixture
def machine(bare_folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A healthy machine in a checkout; a test spoils what it looks at."""
    python = bare_folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (bare_folder / "infra" / "local").mkdir(parents=True)
    (bare_folder / "cdk.json").touch()
    state: dict[str, Any] = {"import": 0}
    monkeypatch.setattr(socket, "socket", FakeSocket)
    monkeypatch.setattr(FakeSocket, "taken", False)
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], int(state["import"]))
    )
    return state


HEALTH = ok({"status": "ok", "stage": "laptop", "version": "0.1.0"})
READY = ok({"status": "ok", "checks": {"journal": "ok", "runtime": "ok"}})
AGENTS = ok({"agents": [], "next_cursor": None})


def by_name(seen: Any) -> dict[str, str]:
    return {check["name"]: check["status"] for check in seen.json["checks"]}


def test_doctor_finds_a_healthy_machine_healthy(
    run: Run, machine: Any, stage: Stage, laptop_file: LaptopFile
) -> None:
    laptop_file(pid=os.getpid())
    stage(HEALTH, READY, AGENTS)
    seen = run("doctor", "--json")
    assert (seen.code, seen.json["ok"], seen.err) == (0, True, "")
    assert set(by_name(seen).values()) == {"ok"}
    assert set(by_name(seen)) >= {"python", "checkout", "venv", "laptop", "api", "ready: journal", "key"}


def test_doctor_before_the_first_start_warns_and_passes(run: Run, machine: Any) -> None:
    seen = run("doctor")
    assert seen.code == 0
    assert "warn laptop" in seen.out
    assert "ok   port 8400" in seen.out
    assert "→ Start it with `stepward up`" in seen.out


def test_doctor_outside_a_checkout_says_which_commands_are_missing(
    run: Run, machine: Any, bare_folder: Path
) -> None:
    (bare_folder / "cdk.json").unlink()
    assert by_name(run("doctor", "--json"))["checkout"] == "warn"


@pytest.mark.parametrize(
    ("answers", "name", "said"),
    [
        ([httpx2.ConnectError("refused")], "api", "Is `stepward up` running"),
        (
            [HEALTH, ok({"status": "no", "checks": {"journal": "no table"}}, 503), AGENTS],
            "ready: journal",
            "no table",
        ),
        (
            [HEALTH, READY, problem(401, "NotAuthenticated", "This key is not known.")],
            "key",
            "This key is not known",
        ),
        ([problem(500, "Bug", "Oh.")], "api", "Bug: Oh."),
    ],
)
def test_doctor_fails_with_the_stage(
    run: Run, machine: Any, stage: Stage, answers: Any, name: str, said: str
) -> None:
    stage(*answers)
    seen = run("doctor", "--json")
    assert seen.code == 1
    assert by_name(seen)[name] == "fail"
    assert said in seen.out


def test_doctor_sees_a_laptop_that_was_killed(
    run: Run, machine: Any, laptop_file: LaptopFile, stage: Stage
) -> None:
    laptop_file(pid=2**22 + 7)
    stage(httpx2.ConnectError("refused"))
    seen = run("doctor")
    assert seen.code == 1
    assert "fail laptop" in seen.out
    assert "Delete" in seen.out


def test_doctor_reads_past_a_broken_laptop_file(run: Run, machine: Any, laptop_file: LaptopFile) -> None:
    laptop_file().write_text("{", encoding="utf-8")
    seen = run("doctor", "--json")
    assert (seen.code, by_name(seen)["laptop"]) == (1, "fail")


def test_doctor_sees_a_taken_port_and_a_missing_runtime(
    run: Run, machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeSocket, "taken", True)
    monkeypatch.setattr(sys, "platform", "linux")
    machine["import"] = 1
    seen = run("doctor")
    assert seen.code == 1
    assert "warn port 8400         taken: Address already in use" in seen.out
    assert "fail lambda runtime" in seen.out


def test_doctor_asks_for_a_venv(run: Run, machine: Any, bare_folder: Path) -> None:
    (bare_folder / ".venv" / "bin" / "python").unlink()
    seen = run("doctor")
    assert seen.code == 1
    assert "make setup" in seen.out


@pytest.mark.parametrize(("version", "status"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((4, 0, 0), "ok")])
def test_old_interpreters_are_refused(version: tuple[int, ...], status: str) -> None:
    assert doctor.python_version(version).status == status


def test_elsewhere_than_on_linux_our_own_runtime_client_is_used() -> None:
    assert doctor.lambda_runtime(Path("python"), "darwin").status == "ok"
