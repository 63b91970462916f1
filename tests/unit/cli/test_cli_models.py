"""`stepward models`: what is asked of the API, and how the answer reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NotRequired, get_origin, get_type_hints

import pytest

from stepward.adapters.memory.costs import MemoryPrices
from stepward.adapters.memory.small_ports import StillClock
from stepward.agents.costs import ShowModels
from stepward.sdk.catalog import Model
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem

Stage = Callable[..., FakeApi]
SHOW = ShowModels(MemoryPrices(), StillClock(datetime(2026, 11, 30, tzinfo=UTC)))
LIST = SHOW.list("acme")


def test_models_are_listed_within_eighty_columns(
    run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    api = stage(ok(LIST))
    lines = run("models").out.splitlines()
    assert api.targets == ["GET /models"]
    assert max(map(len, lines)) <= 80
    found = [line.split() for line in lines]
    assert ["claude-sonnet-5-5", "anthropic", "1,000,000", "2", "10"] in found
    assert ["claude-sonnet-4-5", "anthropic", "200,000", "3", "15", "2026-11-30"] in found
    assert ["gpt-4", "openai", "2026-10-23"] in found
    assert ["balanced:", "claude-sonnet-5-5"] in found


def test_one_is_shown_with_source_and_date(run: Run, stage: Stage) -> None:
    api = stage(ok(SHOW.one("acme", "bedrock/claude-haiku-5-5")))
    seen = run("models", "bedrock/claude-haiku-5-5").out
    assert api.targets == ["GET /models/bedrock%2Fclaude-haiku-5-5"]
    for said in (
        "global.anthropic.claude-haiku-5-5",
        "2026-11-30",
        "1,000,000 tokens",
        "above 100,000",
        "840 s",
    ):
        assert said in seen
    assert ["input", "0.1", "0.5"] in [line.split() for line in seen.splitlines()]


def test_an_ended_model_shows_its_successor_and_no_price(run: Run, stage: Stage) -> None:
    stage(ok(SHOW.one("acme", "gpt-4")))
    seen = run("models", "gpt-4").out
    assert "gpt-5.6-sol" in seen
    assert "dollars" not in seen
    assert "tools" not in seen


@pytest.mark.parametrize("words", [("models",), ("models", "deep")])
def test_programs_get_what_the_api_says(run: Run, stage: Stage, words: tuple[str, ...]) -> None:
    answer = {"models": LIST["models"]} if len(words) == 1 else SHOW.one("acme", words[1])
    stage(ok(answer))
    assert run(*words, "--json").json == answer


def test_an_unknown_model_is_an_error(run: Run, stage: Stage) -> None:
    stage(
        problem(
            404, code="NotFound", detail="there is no model 'x'.", field="model", fix="GET /models lists them"
        )
    )
    seen = run("models", "x")
    assert seen.code != 0
    assert "`stepward models` lists them" in seen.err


def test_what_is_sent_has_the_fields_of_its_type() -> None:
    hints: dict[str, Any] = get_type_hints(Model, include_extras=True)
    needed = {name for name, hint in hints.items() if get_origin(hint) is not NotRequired}
    for sent in LIST["models"]:
        assert needed <= sent.keys() <= hints.keys()


def test_without_a_server_the_lists_own_are_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepward.cli.connection.find_laptop", lambda: None)
    listed = run("models", "--json").json["models"]
    assert [one["id"] for one in listed] == [one["id"] for one in LIST["models"]]
    assert run("models", "balanced", "--json").json["id"] == "claude-sonnet-5-5"
    seen = run("models", "claude-hayku")
    assert (seen.code, "did you mean 'claude-haiku" in seen.err) == (2, True)
