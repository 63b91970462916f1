"""`stepward keys`: the operator's command, run against the laptop that is found here and nothing else."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.cli.conftest import Run

FACTS = {
    "url": "http://127.0.0.1:8400",
    "api_key": "sw_x",
    "tenant": "acme",
    "endpoint": "http://127.0.0.1:4566",
    "identity_table": "stepward-laptop-identity",
    "pid": os.getpid(),
}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """What was run, with its environment; it ends with 7."""
    seen: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], *, env: dict[str, str], check: bool) -> Any:
        assert not check
        seen.append((command, env))
        return SimpleNamespace(returncode=7)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.delenv("STEPWARD_URL", raising=False)
    return seen


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def a_laptop(here: Path, **changed: Any) -> None:
    (here / ".stepward").mkdir()
    (here / ".stepward" / "laptop.json").write_text(json.dumps({**FACTS, **changed}), encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "handed_on"),
    [
        (["create", "--principal", "boss"], ["--tenant", "acme", "--principal", "boss"]),
        (
            ["create", "--principal", "ci", "--tenant", "other", "--expires-in", "90d", "--json"],
            ["--tenant", "other", "--principal", "ci", "--expires-in", "90d", "--json"],
        ),
        (["ls"], ["--list", "--tenant", "acme"]),
        (["revoke", "0123456789abcdef", "--yes"], ["--revoke", "0123456789abcdef"]),
    ],
)
def test_the_operators_command_is_run_on_the_laptops_tables(
    run: Run, here: Path, ran: list[tuple[list[str], dict[str, str]]], words: list[str], handed_on: list[str]
) -> None:
    a_laptop(here)
    assert run("keys", *words).code == 7
    ((command, environment),) = ran
    assert command[1:3] == ["-m", "stepward.runtime.issue_key"]
    assert command[3:] == handed_on
    assert environment["AWS_ENDPOINT_URL"] == FACTS["endpoint"]
    assert environment["IDENTITY_TABLE"] == FACTS["identity_table"]
    assert "AWS_PROFILE" not in environment


@pytest.mark.parametrize(
    ("laptop", "url", "said"),
    [
        (None, None, "No laptop runs here"),
        ({"pid": 2**22 + 1}, None, "No laptop runs here"),
        ({}, "https://api.example.org", "not the laptop"),
        ({"endpoint": ""}, None, "older"),
    ],
)
def test_elsewhere_it_says_who_makes_keys_and_how(
    run: Run,
    here: Path,
    ran: list[tuple[list[str], dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
    laptop: dict[str, Any] | None,
    url: str | None,
    said: str,
) -> None:
    if laptop is not None:
        a_laptop(here, **laptop)
    if url:
        monkeypatch.setenv("STEPWARD_URL", url)
    seen = run("keys", "ls")
    assert seen.code != 0
    assert said in seen.err
    assert ran == []


@pytest.mark.parametrize(("said", "code"), [("n\n", 2), ("", 2), ("y\n", 7)])
def test_a_key_is_not_revoked_unasked(
    run: Run,
    here: Path,
    ran: list[tuple[list[str], dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    code: int,
) -> None:
    a_laptop(here)
    monkeypatch.setattr(sys, "stdin", io.StringIO(said))
    assert (run("keys", "revoke", "0123456789abcdef").code, len(ran)) == (code, code == 7)
