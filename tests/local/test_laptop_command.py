"""`up` as a person meets it: it tells what to do, and whatever ends it, nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from infra.local import stopping
from infra.local import up as up_command
from infra.local.__main__ import main
from infra.local.executor import Trouble
from stepward.testing.fake_llm import FakeProvider
from tests.local.patience import alive, wait_for

ROOT = Path(__file__).resolve().parents[2]
UP = [sys.executable, "-m", "infra.local", "up"]


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield int(other.getsockname()[1])


@pytest.mark.parametrize("option", ["--port", "--aws-port"])
def test_a_port_in_use_is_told_with_the_way_out(taken_port: int, tmp_path: Path, option: str) -> None:
    ports = {"--port": "0", "--aws-port": "0", option: str(taken_port)}
    command = [*UP, "--state-dir", str(tmp_path), *(word for pair in ports.items() for word in pair)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert f"Port {taken_port} is in use" in done.stderr
    assert f"{option} {taken_port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--port", "99999"], "99999 is no port"),
        (["--port=-5"], "-5 is no port"),
        (["--aws-port", "many"], "many is no port"),
        (["--port", "8499", "--aws-port", "8499"], "cannot both be 8499"),
        (["--state-dir", str(Path(__file__))], "cannot be written to"),
        (["--state-dir", "/proc/nowhere"], "cannot be written to"),
    ],
)
def test_an_option_that_cannot_be_is_told_in_a_line(options: list[str], told: str) -> None:
    done = subprocess.run([*UP, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert told in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_troubles_after_a_signal_are_no_troubles(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(stopping, "_stopping", ended)
    trouble = Trouble("echo", "crashed", "Runtime.ExitError: killed", tmp_path)
    up_command._tell(trouble, as_json=False)
    ended.set()
    up_command._tell(trouble, as_json=False)
    assert capsys.readouterr().out.count("crashed") == 1


@pytest.mark.laptop
def test_up_as_json_prints_one_object_when_it_is_ready(tmp_path: Path) -> None:
    command = [*UP, "--json", "--port", "0", "--state-dir", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        told = json.loads(up.stdout.readline())
        assert json.loads((tmp_path / "laptop.json").read_text()).items() <= told.items()
        up.terminate()
        rest, _ = up.communicate(timeout=20)
    assert (rest, up.returncode) == ("", 0)


@pytest.mark.laptop
def test_the_demo_with_a_model_asks_its_provider_and_says_what_it_cost() -> None:
    with FakeProvider() as provider:
        options = ["--model", "claude-haiku-5-5", "--provider-url", provider.url, "--json"]
        command = [sys.executable, "-m", "infra.local", "demo", *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        asked = {request.model for request in provider.requests}
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["right"], told["of"], asked) == (14, 14, {"claude-haiku-5-5"})
    assert all(ticket["cost_usd_micros"] > 0 for ticket in told["tickets"])


@pytest.mark.laptop
def test_demo_as_json_prints_one_document_at_the_end() -> None:
    command = [sys.executable, "-m", "infra.local", "demo", "--json"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stderr is not None
        demo.stderr.readline()
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == "Another demo runs in this checkout; wait for its end.\n"
        out, err = demo.communicate(timeout=180)
    assert demo.returncode == 0, err
    told = json.loads(out)
    assert told["right"] == told["of"] == len(told["tickets"]) > 0
    assert [ticket["came_by"] for ticket in told["tickets"]].count("S3") == 1
    assert {"ticket", "answer", "status", "cost_usd_micros"} <= set(told["tickets"][0])


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(file.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            child = int(file.parent.name)
            found |= {child} | descendants(child)
    return found


@pytest.mark.laptop
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_no_process_stays(tmp_path: Path, number: signal.Signals) -> None:
    command = [*UP, "--port", "0", "--state-dir", str(tmp_path)]
    file = tmp_path / "laptop.json"
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as up:
        wait_for(lambda: True if file.is_file() or up.poll() is not None else None, 60)
        assert up.poll() is None, up.stdout and up.stdout.read()
        told = json.loads(file.read_text())
        assert file.stat().st_mode & 0o077 == 0
        with httpx2.Client(base_url=told["url"], trust_env=False, timeout=20) as client:
            assert client.get("/api/health").json()["stage"] == "laptop"
        processes = descendants(up.pid)
        assert processes
        os.kill(up.pid, number)
        output, _ = up.communicate(timeout=20)
    wait_for(lambda: None if any(map(alive, processes)) else True)
    assert told["api_key"] in output
    assert "Left out on purpose" in output
    if number != signal.SIGKILL:
        assert up.returncode == 0, output
        assert not file.exists()
        assert "Traceback" not in output


def test_the_commands_explain_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("up", "demo", "bench", "Ctrl-C"))
