"""How sentences and counts read: broken between words in a window, whole in a pipe, and one turn is no turns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import httpx2
import pytest

from stepward.agents.costs import by_list
from stepward.cli import output
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, a_run, ok, problem

Stage = Callable[..., FakeApi]
MODEL = by_list(datetime(2026, 11, 30, tzinfo=UTC)).one("acme", "bedrock/claude-haiku-5-5")
FIGURES = {"model_usd_micros": 100, "aws_usd_micros": 90, "turns": 1, "input_tokens": 50, "output_tokens": 1}
ESTIMATE = {
    "agent": "a1", "version": "1.0.0", "least": FIGURES, "expected": FIGURES, "most": FIGURES,
    "based_on_runs": 1, "would_be_refused": False,
}  # fmt: skip

LONG = "What is said here is longer than a window is wide, and has to be read by a person all the same. "


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("models", "m"), ok({**MODEL, "note": LONG * 2})),
        (("agents", "estimate", "a", "--input", "x"), ok({**ESTIMATE, "notes": [LONG, LONG]})),
        (("agents", "show", "a"), problem(404, "NotFound", LONG, field="agent_id", fix=LONG * 2)),
        (
            ("agents", "show", "a"),
            problem(400, "InvalidRequest", LONG, errors=[{"field": "a.b", "detail": LONG, "fix": LONG}] * 2),
        ),
        (("runs", "show", "r"), ok(a_run(input=LONG * 2))),
    ],
)
def test_sentences_are_broken_between_words_in_a_window_and_whole_in_a_pipe(
    run: Run,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    answer: httpx2.Response,
) -> None:
    stage(answer)
    seen = run(*words)
    assert LONG.strip() in seen.out + seen.err
    monkeypatch.setenv("COLUMNS", "80")
    seen = run(*words)
    lines = (seen.out.partition("\n\nHello Amara")[0] + seen.err).splitlines()
    assert max(map(len, lines)) <= 80
    assert LONG.strip() in " ".join((seen.out + seen.err).split())


def test_what_a_run_came_to_fits_a_window(run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    totals = {
        **a_run()["totals"],
        "turns": 0,
        "response_cache_hits": 1,
        "saved_tokens": 900,
        "saved_usd_micros": 114,
    }
    error = {"code": "KeyMissing", "detail": LONG * 2}
    stage(
        ok(a_run(totals=totals, answered_by="claude-sonnet-5-5", rehearsed=False, output=None, error=error))
    )
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("runs", "show", "run_01").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "saved $0.000114 · claude-sonnet-5-5" in " ".join(" ".join(lines).split())


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 turns"), (1, "1 turn"), (2, "2 turns"), (1_000, "1,000 turns")]
)
def test_what_is_counted_is_named_right(count: int, words: str) -> None:
    assert output.plural(count, "turn") == words
    assert output.plural(count, "entry", "entries").endswith("entry" if count == 1 else "entries")


def test_one_turn_and_one_call_are_one(run: Run, stage: Stage) -> None:
    totals = {**a_run()["totals"], "turns": 1, "tool_calls": 1}
    stage(ok(a_run(totals=totals)))
    assert "1 turn · 1 tool call ·" in run("runs", "show", "run_01").out
