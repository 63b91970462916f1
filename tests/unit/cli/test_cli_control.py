"""`stepward runs pause|resume|fork|diff` and `stepward status`: what is asked of the API, and how the answer reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, a_run, an_event, ok, page, problem

Stage = Callable[..., FakeApi]
TOTALS = a_run()["totals"]
PART: dict[str, Any] = {
    "left": {"id": "run_01", "status": "COMPLETED", "totals": TOTALS},
    "right": {"id": "run_02", "status": "COMPLETED", "totals": TOTALS},
    "fork": {"side": "right", "turn": 1, "results": []},
    "start": {"model": {"left": None, "right": "deep"}},
    "first_difference": 2,
    "turns": [{"turn": 2, "text": {"left": "Two.", "right": "Three."}}],
    "next": None,
}
STATUS = {
    "at": "2026-11-21T10:00:00.000Z", "active": 3, "waiting": 2, "oldest_in_line_s": 61.5,
    "in_line": {"total": 4, "resume": 0, "high": 1, "normal": 3, "low": 0},
    "slots": {"limit": 10, "free": 7}, "account": {"active": 9, "limit": 100},
}  # fmt: skip


def test_a_run_is_paused_and_resumed(run: Run, stage: Stage) -> None:
    api = stage(ok(a_run(status="WAITING", paused=True), 202))
    seen = run("runs", "pause", "run_01")
    assert "stepward runs resume run_01" in seen.out
    assert "yes" in seen.out
    run("runs", "resume", "run_01")
    assert api.targets == ["POST /runs/run_01/pause", "POST /runs/run_01/resume"]
    assert run("runs", "pause", "run_01", "--json").json["paused"] is True


def test_a_refusal_is_told_in_words(run: Run, stage: Stage) -> None:
    stage(problem(409, "Conflict", "the run is paused already, by ann.", fix="resume it"))
    seen = run("runs", "pause", "run_01")
    assert seen.code != 0
    assert "by ann" in seen.err
    assert "resume it" in seen.err


def test_a_fork_says_what_it_changes_and_is_followed(run: Run, stage: Stage, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.md"
    prompt.write_text("Be brief.")
    events = page(
        an_event(3, "run.inherited", turns=1), an_event(4, "run.ended", status="COMPLETED"), ended=True
    )
    api = stage(ok(a_run(id="run_02"), 202), events, ok(a_run(id="run_02")))
    seen = run(
        "runs", "fork", "run_01", "--turn", "1", "--prompt", f"@{prompt}", "--model", "deep",
        "--result", 'call_1_1={"value": "7"}',
    )  # fmt: skip
    assert (seen.code, api.targets[0]) == (0, "POST /runs/run_01/fork")
    assert api.body(0) == {
        "turn": 1, "prompt": "Be brief.", "model": "deep", "results": {"call_1_1": {"value": "7"}}
    }  # fmt: skip
    assert api.requests[0].headers["idempotency-key"].startswith("sdk-")
    assert "goes on after 1 turn of" in seen.out
    assert "stepward runs diff run_01 run_02" in seen.out


def test_a_fork_may_only_be_started(run: Run, stage: Stage) -> None:
    api = stage(ok(a_run(id="run_02", status="PENDING"), 202))
    assert run("runs", "fork", "run_01", "--turn", "2", "--no-wait", "--json").json["id"] == "run_02"
    assert api.body(0) == {"turn": 2}


@pytest.mark.parametrize("result", ["call_1_1", "call_1_1={", "call_1_1=yes"])
def test_a_result_that_is_no_json_is_refused_here(run: Run, stage: Stage, result: str) -> None:
    api = stage(ok({}))
    seen = run("runs", "fork", "run_01", "--turn", "1", "--result", result)
    assert seen.code != 0
    assert "--result" in seen.err
    assert api.targets == []


def test_a_comparison_shows_where_two_runs_part(run: Run, stage: Stage) -> None:
    api = stage(
        ok({**PART, "next": 2}), ok({**PART, "turns": [{"turn": 3, "text": {"left": "x", "right": None}}]})
    )
    seen = run("runs", "diff", "run_01", "run_02")
    assert api.targets == ["GET /runs/run_01/diff?with=run_02", "GET /runs/run_01/diff?with=run_02&after=2"]
    for word in ("turn 2 text", "Three.", "turn 3 text", "deep", "They part at turn 2."):
        assert word in seen.out
    stage(ok({**PART, "turns": [], "first_difference": None}))
    assert "The turns are the same." in run("runs", "diff", "run_01", "run_02").out
    assert run("runs", "diff", "run_01", "run_02", "--json").json["fork"]["side"] == "right"


def test_the_status_reads_at_a_glance(run: Run, stage: Stage) -> None:
    api = stage(ok(STATUS))
    seen = run("status")
    assert api.targets == ["GET /system/status"]
    for word in ("3 of 10, 7 free", "4 (1 high, 3 normal)", "62 s in the queue", "9 of 100 active"):
        assert word in seen.out
    assert run("status", "--json").json == STATUS


def test_a_run_shows_what_it_waits_for_and_where_it_comes_from(run: Run, stage: Stage) -> None:
    stage(
        ok(
            a_run(
                status="WAITING",
                paused=True,
                waiting_for={
                    "what": "answers",
                    "calls": ["call_1_1", "call_1_2"],
                    "runs": {"call_1_2": "run_9"},
                },
                fork_of={"run": "run_00", "turn": 2},
            )
        )
    )
    seen = run("runs", "show", "run_01")
    assert "the run run_9 (call_1_2); an answer to call_1_1: stepward approvals ls" in seen.out
    assert "run_00 at turn 2" in seen.out


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        ({"what": "pause"}, "the word to go on: stepward runs resume run_01"),
        ({"what": "slot", "place": "high"}, "a free slot, at high priority"),
        (
            {
                "what": "provider",
                "reason": "ProviderThrottled",
                "detail": "slower",
                "until": "2026-11-05T10:09",
            },
            "the provider wants fewer calls (ProviderThrottled: slower)",
        ),
        (
            {"what": "provider", "reason": "StreamCut"},
            "a reply broke off, and is asked for again (StreamCut)",
        ),
        ({"what": "provider", "reason": "ProviderThrottled", "own_limit": True}, "we hold calls back"),
        ({"what": "moon"}, "moon"),
    ],
)
def test_a_wait_is_told_in_words(run: Run, stage: Stage, waiting: dict[str, str], words: str) -> None:
    stage(ok(a_run(status="WAITING", waiting_for={**waiting, "since": "2026-11-05T10:00:00.000Z"})))
    seen = run("runs", "show", "run_01").out
    assert words in seen
    assert "2026-11-05T10:00:00.000Z (" in seen
    assert ("until " in seen) == ("until" in waiting)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"charged": False}, "nothing: it is rehearsed"),
        ({"charged": True, "charged_to": ["the day's budget (2026-11-05)", "the budget of agent a"]}, "the day's budget (2026-11-05), the budget of agent a;"),
        ({"charged": True, "charged_to": []}, "no budget, for none is set"),
    ],
)  # fmt: skip
def test_a_run_shows_what_it_is_charged_to(run: Run, stage: Stage, said: dict[str, bool], words: str) -> None:
    stage(ok(a_run(**said)))
    assert words in run("runs", "show", "run_01").out
