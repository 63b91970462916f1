"""`stepward costs`, `stepward budgets` and estimates: what is asked of the API, and how the answer reads."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem

Stage = Callable[..., FakeApi]
SUMS = {
    "runs": 3, "turns": 7, "tool_calls": 2, "input_tokens": 12_345, "output_tokens": 678, "cache_read_tokens": 0,
    "cache_write_tokens": 0, "model_usd_micros": 1_500_000, "tool_usd_micros": 0, "aws_usd_micros": 300,
    "total_usd_micros": 1_500_300,
}  # fmt: skip
REPORT = {
    "by": "agent",
    "from": "2026-11-01",
    "to": "2026-11-30",
    "costs": [{"agent": "a1", **SUMS}],
    "total": SUMS,
}
DAY = {
    "scope": "day", "id": "", "period": "2026-11-21", "limit_usd_micros": 20_000_000, "refused_at": None,
    "remaining_usd_micros": 5_000_000, "committed_usd_micros": 15_000_000, "percent": 75,
    "alerts": {"50": "2026-11-21T10:00:00.000Z"},
}  # fmt: skip


def test_costs_are_asked_for_as_said(run: Run, stage: Stage) -> None:
    api = stage(ok(REPORT))
    seen = run("costs", "--by", "agent", "--from", "2026-11-01", "--to", "2026-11-30")
    assert api.targets == ["GET /costs?by=agent&from=2026-11-01&to=2026-11-30"]
    assert "12,345" in seen.out
    assert "$1.500300" in seen.out
    assert run("costs", "--json").json == REPORT


def test_what_the_response_cache_saved_is_said(run: Run, stage: Stage) -> None:
    saved = {"response_cache_hits": 1_200, "saved_tokens": 34_567, "saved_usd_micros": 98_765}
    stage(ok({**REPORT, "total": {**SUMS, **saved}}))
    said = " ".join(run("costs", "--by", "agent").out.split())
    assert "The response cache answered 1,200 turns and saved $0.098765 and 34,567 tokens." in said
    stage(ok({**REPORT, "total": {**SUMS, **saved, "response_cache_hits": 0}}))
    assert "response cache" not in run("costs", "--by", "agent").out


def test_budgets_are_listed(run: Run, stage: Stage) -> None:
    stage(ok({"budgets": [DAY]}))
    seen = run("budgets", "ls")
    assert "$5.000000" in seen.out
    assert "50 % 2026-11-21T10:00" in seen.out
    assert run("budgets", "ls", "--json").json == {"budgets": [DAY]}


@pytest.mark.parametrize(
    "words", [("set", "agent", "5"), ("rm", "agent", "--yes"), ("set", "day", "5", "--agent", "a1")]
)
def test_a_budget_of_the_wrong_scope_is_told_in_options(
    run: Run, stage: Stage, words: tuple[str, ...]
) -> None:
    api = stage()
    seen = run("budgets", *words)
    assert seen.code == 2
    assert "--agent" in seen.err
    assert not api.requests


def test_without_budgets_the_way_to_one_is_shown(run: Run, stage: Stage) -> None:
    stage(ok({"budgets": []}))
    assert "stepward budgets set day" in run("budgets", "ls").out


def test_a_budget_is_set_and_removed(run: Run, stage: Stage) -> None:
    api = stage(ok({**DAY, "scope": "agent", "id": "a1"}))
    assert "agent a1: $20.000000" in run("budgets", "set", "agent", "20", "--agent", "a1").out
    assert api.targets == ["PUT /budgets/agent/a1"]
    assert json.loads(api.requests[0].content) == {"limit_usd": "20"}
    assert run("budgets", "rm", "agent", "--agent", "a1", "--yes", "--json").json == {
        "removed": {"scope": "agent", "id": "a1"}
    }
    assert api.targets[-1] == "DELETE /budgets/agent/a1"


def test_a_wrong_budget_is_told_in_words(run: Run, stage: Stage) -> None:
    stage(problem(400, "InvalidRequest", "limit_usd: too low", field="limit_usd", fix="use at least 0"))
    seen = run("budgets", "set", "day", "--", "-1")
    assert seen.code != 0
    assert "use at least 0" in seen.err


@pytest.mark.parametrize("words", [("budgets", "set", "week", "1"), ("costs", "--by", "week")])
def test_unknown_words_are_refused_here(run: Run, stage: Stage, words: tuple[str, ...]) -> None:
    api = stage(ok({}))
    assert run(*words).code != 0
    assert api.targets == []


def test_an_estimate_is_shown_with_what_it_rests_on(run: Run, stage: Stage) -> None:
    figures = {
        "model_usd_micros": 100,
        "aws_usd_micros": 90,
        "turns": 1,
        "input_tokens": 50,
        "output_tokens": 1,
    }
    body = {
        "agent": "a1", "version": "1.0.0", "least": figures, "expected": figures, "most": figures,
        "based_on_runs": 7, "would_be_refused": False, "notes": ["a note"],
    }  # fmt: skip
    api = stage(ok(body))
    seen = run("agents", "estimate", "a1", "--input", '{"ticket": 1}')
    assert api.targets == ["POST /agents/a1/estimate"]
    assert json.loads(api.requests[0].content) == {"input": {"ticket": 1}}
    assert "by 7 completed runs" in seen.out
    assert "a note" in seen.out
    assert run("agents", "estimate", "a1", "--input", "hi", "--json").json == body
