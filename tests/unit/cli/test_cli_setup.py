"""Which stage a command finds, what it does without one, and the doors to the laptop."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from stepward.cli import local
from stepward.cli.connection import Target, find_target
from stepward.cli.exit_codes import EPILOG
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok

Stage = Callable[..., FakeApi]
LaptopFile = Callable[..., Path]
COMMANDS = [
    "up",
    "demo",
    "bench",
    "bench counts",
    "bench imports",
    "bench models",
    "bench prompts",
    "bench workflows",
    "init",
    "run",
    "agents",
    "agents ls",
    "agents show",
    "agents register",
    "agents validate",
    "agents schema",
]
COMMANDS += ["runs", "runs ls", "runs show", "runs tail", "runs cancel", "logs", "doctor"]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_names_the_exit_codes(run: Run, command: str) -> None:
    seen = run(*command.split(), "--help")
    assert seen.code == 0
    assert "Exit codes: 0 done" in " ".join(seen.out.split())
    assert "3 the API refused" in EPILOG


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in {"bench", "agents", "runs"}])
def test_help_teaches_with_examples(run: Run, command: str) -> None:
    seen = run(*command.split(), "--help")
    assert "Examples:" in seen.out
    assert f"stepward {command}" in seen.out
    assert "--json" in seen.out


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").out.startswith("stepward 0.")


@pytest.mark.parametrize(
    "arguments", [["agents", "lss"], ["run", "a"], ["runs", "ls", "--limit", "x"], ["--nope"]]
)
def test_wrong_usage_exits_2(run: Run, arguments: list[str]) -> None:
    seen = run(*arguments)
    assert (seen.code, seen.out) == (2, "")
    assert seen.err
    seen = run(*arguments, "--json")
    assert (seen.code, seen.json["code"], seen.err) == (2, "UsageError", "")


@pytest.mark.parametrize("command", [["agents", "ls"], ["run", "a", "-i", "x"], ["runs", "show", "r"]])
def test_without_a_stage_a_command_says_how_to_get_one(run: Run, command: list[str]) -> None:
    seen = run(*command)
    assert seen.code == 2
    assert "stepward up" in seen.err
    assert run(*command, "--json").json["code"] == "SetupError"


def test_an_unreachable_stage_exits_4(run: Run, stage: Stage) -> None:
    stage(httpx2.ConnectError("[Errno 111] Connection refused"))
    seen = run("agents", "ls")
    assert (seen.code, seen.out) == (4, "")
    assert "Is `stepward up` running" in seen.err
    assert run("agents", "ls", "--json").json["code"] == "Unreachable"


def test_a_running_laptop_is_found_from_a_folder_below(
    bare_folder: Path, laptop_file: LaptopFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop_file()
    below = bare_folder / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find_target(None, None) == Target("http://127.0.0.1:8400", "sw_laptop")


def test_the_laptops_key_goes_to_nobody_else(laptop_file: LaptopFile, run: Run) -> None:
    laptop_file()
    assert find_target("https://elsewhere.example.com", None) == Target("https://elsewhere.example.com", "")
    assert find_target("http://127.0.0.1:8400/", None) == Target("http://127.0.0.1:8400/", "sw_laptop")
    assert find_target(None, "sw_mine") == Target("http://127.0.0.1:8400", "sw_mine")
    seen = run("agents", "ls", "--url", "https://elsewhere.example.com")
    assert seen.code == 2
    assert "No API key for https://elsewhere.example.com" in seen.err


def test_options_win_over_the_environment(run: Run, stage: Stage) -> None:
    api = stage(ok({"agents": [], "next_cursor": None}))
    run("agents", "ls", "--url", "http://127.0.0.1:9", "--key", "sw_other")
    assert str(api.requests[0].url) == "http://127.0.0.1:9/agents"
    assert api.requests[0].headers["authorization"] == "Bearer sw_other"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"url": "http://x"}', '{"url": "u", "api_key": "k", "pid": "x"}']
)
def test_a_broken_laptop_file_is_named(run: Run, bare_folder: Path, text: str) -> None:
    path = bare_folder / ".stepward" / "laptop.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    seen = run("agents", "ls")
    assert seen.code == 2
    assert str(path) in seen.err


@pytest.fixture
def checkout(bare_folder: Path) -> Path:
    (bare_folder / "infra" / "local").mkdir(parents=True)
    (bare_folder / "cdk.json").write_text("{}", encoding="utf-8")
    below = bare_folder / "below"
    below.mkdir()
    os.chdir(below)
    return bare_folder


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    seen: list[list[str]] = []
    monkeypatch.setattr(local, "replace_process", seen.append)
    return seen


@pytest.mark.parametrize(
    ("typed", "handed_on"),
    [
        (["up"], ["up"]),
        (["up", "--port", "8500", "--json"], ["up", "--port", "8500", "--json"]),
        (["demo", "--json"], ["demo", "--json"]),
        (["bench", "counts", "--json"], ["bench", "counts", "--json"]),
        (["up", "--", "--help"], ["up", "--help"]),
    ],
)
def test_laptop_commands_become_the_laptops_own(
    run: Run, checkout: Path, became: list[list[str]], typed: list[str], handed_on: list[str]
) -> None:
    assert run(*typed).code == 0
    assert became == [[sys.executable, "-m", "infra.local", *handed_on]]
    assert Path.cwd() == checkout


def test_the_checkouts_own_python_is_taken(run: Run, checkout: Path, became: list[list[str]]) -> None:
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    run("up")
    assert became[0][0] == str(python)


@pytest.mark.parametrize("typed", [["up"], ["demo"], ["bench", "counts"]])
def test_laptop_commands_need_a_checkout(
    run: Run, bare_folder: Path, became: list[list[str]], typed: list[str]
) -> None:
    (bare_folder / "cdk.json").write_text("{}", encoding="utf-8")
    seen = run(*typed)
    assert (seen.code, became) == (2, [])
    assert "needs a checkout of Stepward" in seen.err
    assert json.loads(run(*typed, "--json").out)["code"] == "SetupError"
