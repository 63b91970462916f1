"""`stepward prices`: what is asked of the API, or of the operator's command, and how the answer reads."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok

Stage = Callable[..., FakeApi]
LISTED: dict[str, Any] = {
    "model": "claude-sonnet-5-5", "agreed": False, "input_usd_per_mtok": "2", "output_usd_per_mtok": "10",
    "calculator": "tokens", "terms": {}, "source": "the list", "as_of": "2026-11-01",
}  # fmt: skip
KNOWN = ok({"prices": [LISTED]})
MODELS = ok({"models": [{"id": "claude-sonnet-5-5", "aliases": ["balanced"]}]})
OURS = {**LISTED, "model": "ours/llama", "agreed": True, "source": "set by hand"}
LAPTOP = {"endpoint": "http://127.0.0.1:1", "identity_table": "i", "pid": os.getpid()}


def test_they_are_listed_with_and_without_ls(run: Run, stage: Stage) -> None:
    stage(ok({"prices": [LISTED, OURS]}), ok({"prices": [LISTED]}), ok({"prices": [LISTED]}))
    seen = run("prices").out
    assert "the list" in seen
    assert "2026-11-01 agreed" in seen
    assert run("prices", "--json").json == run("prices", "ls", "--json").json == {"prices": [LISTED]}


def test_a_model_of_a_server_of_ones_own_gets_its_price(run: Run, stage: Stage) -> None:
    api = stage(KNOWN, MODELS, ok(OURS))
    seen = run("prices", "set", "ours/llama", "--input", "1", "--output", "0.25")
    assert (seen.code, seen.err) == (0, "")
    assert api.targets[-1] == "PUT /prices/ours%2Fllama"
    assert api.body() == {
        "input_usd_per_mtok": "1",
        "output_usd_per_mtok": "0.25",
        "source": "set by hand",
        "as_of": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    assert "ours/llama" in seen.out


def test_an_alias_is_changed_over_its_models_price(run: Run, stage: Stage) -> None:
    api = stage(KNOWN, MODELS, ok(LISTED))
    run("prices", "set", "balanced", "--discount", "15", "--source", "our contract", "--json")
    assert api.targets[-1] == "PUT /prices/claude-sonnet-5-5"
    assert api.body()["terms"] == {"percent": "15"}
    assert (api.body()["input_usd_per_mtok"], api.body()["source"]) == ("2", "our contract")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ours/llama",), "Give --input and --output, or --discount"),
        (("ours/llama", "--input", "1"), "give --output as well"),
        (("claude-sonet-5-5", "--discount", "1"), "Did you mean 'claude-sonnet-5-5'?"),
        (("ours/llama", "--input", "1_000"), "is not an amount"),
        (("ours/llama", "--input", "-1"), "is not an amount"),
    ],
)
def test_what_says_too_little_sets_nothing(run: Run, stage: Stage, words: tuple[str, ...], said: str) -> None:
    api = stage(KNOWN, MODELS)
    seen = run("prices", "set", *words)
    assert seen.code == 2
    assert said in " ".join(seen.err.split())
    assert not any(target.startswith("PUT") for target in api.targets)


def test_a_new_name_without_a_provider_is_pointed_out(run: Run, stage: Stage) -> None:
    stage(KNOWN, MODELS, ok({**OURS, "model": "llama"}))
    seen = run("prices", "set", "llama", "--input", "1", "--output", "1")
    assert (seen.code, "PROVIDER/MODEL" in seen.err) == (0, True)


def test_one_is_removed_after_a_question(run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    api = stage(ok({"prices": []}))
    assert run("prices", "rm", "ours/llama").code == 2
    assert api.targets == []
    assert run("prices", "rm", "ours/llama", "--yes", "--json").json == {"removed": "ours/llama"}
    assert api.targets == ["DELETE /prices/ours%2Fllama"]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    seen: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], *, env: dict[str, str], check: bool) -> Any:
        assert not check
        seen.append((command, env))
        return SimpleNamespace(returncode=7)

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_for_all_tenants_the_operators_command_is_run(
    run: Run, ran: list[tuple[list[str], dict[str, str]]], laptop_file: Callable[..., Path]
) -> None:
    laptop_file(**LAPTOP, registry_table="stepward-laptop-registry")
    assert run("prices", "set", "ours/m", "--cache-write-1h", "2", "--source", "x", "--all-tenants").code == 7
    assert run("prices", "rm", "ours/m", "--all-tenants", "--yes").code == 7
    words = [command[1:] for command, _ in ran]
    assert words == [
        ["-m", "stepward.runtime.model_prices", "set", "--model=ours/m", "--cache-write-1h=2", "--source=x"],
        ["-m", "stepward.runtime.model_prices", "remove", "--model=ours/m"],
    ]
    assert {environment["REGISTRY_TABLE"] for _, environment in ran} == {"stepward-laptop-registry"}


def test_for_all_tenants_of_a_stage_on_aws_it_says_how(run: Run, ran: list[Any]) -> None:
    seen = run("prices", "set", "ours/m", "--input", "1", "--all-tenants")
    assert (seen.code, ran) == (2, [])
    assert "python -m stepward.runtime.model_prices set" in " ".join(seen.err.split())


def test_an_older_laptop_is_told_apart(run: Run, ran: list[Any], laptop_file: Callable[..., Path]) -> None:
    laptop_file(**LAPTOP)
    seen = run("prices", "set", "ours/m", "--input", "1", "--all-tenants")
    assert (seen.code, ran, "Start `stepward up` again" in seen.err) == (2, [], True)
