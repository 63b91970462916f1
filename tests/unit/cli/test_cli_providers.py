"""`stepward providers`: the operator's command about keys of providers, run against the laptop that is found here."""

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
Ran = list[tuple[list[str], dict[str, str]]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ran:
    """What was run, with its environment; it ends with 7."""
    seen: Ran = []

    def run(command: list[str], *, env: dict[str, str], check: bool) -> Any:
        assert not check
        seen.append((command, env))
        return SimpleNamespace(returncode=7)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.delenv("STEPWARD_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return seen


@pytest.fixture
def laptop(tmp_path: Path) -> None:
    (tmp_path / ".stepward").mkdir()
    (tmp_path / ".stepward" / "laptop.json").write_text(json.dumps(FACTS), encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "handed_on"),
    [
        (["set", "anthropic"], ["set", "--provider=anthropic", "--stage=laptop"]),
        (
            ["add", "openai", "--tenant", "acme", "--id", "b", "--json"],
            ["add", "--provider=openai", "--tenant=acme", "--id=b", "--stage=laptop", "--json"],
        ),
        (["set", "ours", "--force"], ["set", "--provider=ours", "--stage=laptop", "--force"]),
        (["ls"], ["ls", "--stage=laptop"]),
        (["ls", "openai", "--json"], ["ls", "--provider=openai", "--stage=laptop", "--json"]),
        (["remove", "openai", "--yes"], ["remove", "--provider=openai", "--stage=laptop"]),
    ],
)
@pytest.mark.usefixtures("laptop")
def test_the_operators_command_is_run_on_the_laptop(
    run: Run, ran: Ran, words: list[str], handed_on: list[str]
) -> None:
    assert run("providers", *words).code == 7
    ((command, environment),) = ran
    assert command[1:] == ["-m", "stepward.runtime.provider_keys", *handed_on]
    assert environment["AWS_ENDPOINT_URL"] == FACTS["endpoint"]
    assert "AWS_PROFILE" not in environment


@pytest.mark.usefixtures("laptop")
@pytest.mark.parametrize("words", [("sk-planted",), ("--value", "sk-planted"), ("--key=sk-planted",)])
def test_a_key_has_no_place_among_the_words(run: Run, ran: Ran, words: tuple[str, ...]) -> None:
    seen = run("providers", "set", "anthropic", *words)
    assert seen.code != 0
    assert "never an argument" in seen.err
    assert "planted" not in seen.out + seen.err
    assert ran == []


def test_elsewhere_it_says_who_sets_keys_and_how(run: Run, ran: Ran) -> None:
    seen = run("providers", "set", "anthropic")
    assert seen.code != 0
    assert "python -m stepward.runtime.provider_keys set --provider P --stage S" in " ".join(seen.err.split())
    assert ran == []


@pytest.mark.usefixtures("laptop")
@pytest.mark.parametrize(("said", "code"), [("n\n", 2), ("y\n", 7)])
def test_a_key_is_not_removed_unasked(
    run: Run, ran: Ran, monkeypatch: pytest.MonkeyPatch, said: str, code: int
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(said))
    assert (run("providers", "remove", "openai").code, len(ran)) == (code, code == 7)


def test_help_says_where_a_stage_names_its_providers(run: Run) -> None:
    assert "[providers.NAME]" in run("providers", "set", "--help").out
