"""What commands say of who answers: each start's choice is sent as it was typed, and a run shows who answered it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, a_run, ok, page
from tests.unit.sdk.workflow_answers import a_workflow_run

Stage = Callable[..., FakeApi]
BEGUN = a_run(status="PENDING", ended_at=None, output=None)
STARTS = {
    "run": ("run", "helper", "--input", "hi", "--no-wait"),
    "fork": ("runs", "fork", "run_01", "--turn", "1", "--no-wait"),
    "workflow": ("workflows", "run", "billing-flow", "--no-wait"),
    "rerun": ("workflows", "rerun", "run_01", "--no-wait"),
}


@pytest.mark.parametrize("command", STARTS)
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), {}),
        (("--no-rehearse",), {"rehearse": False}),
        (("--rehearse", "--charge"), {"rehearse": True, "charge": True}),
        (("--no-charge",), {"charge": False}),
    ],
)
def test_the_choice_is_sent_as_it_was_typed(
    run: Run, stage: Stage, command: str, options: tuple[str, ...], said: dict[str, bool]
) -> None:
    begun = a_workflow_run(status="RUNNING", ended_at=None) if command in ("workflow", "rerun") else BEGUN
    api = stage(ok(begun, 202))
    assert run(*STARTS[command], *options).code == 0
    sent: dict[str, Any] = api.body() if api.requests[-1].content else {}
    assert {name: sent[name] for name in ("rehearse", "charge") if name in sent} == said


def test_a_run_shows_who_answered(run: Run, stage: Stage) -> None:
    model = a_run(rehearsed=False, answered_by="claude-haiku-4-5", charged=True)
    stage(ok(model), page(), ok(a_run()), ok({"runs": [model, a_run(id="run_02")], "next_cursor": None}))
    shown = run("runs", "show", "run_01").out
    assert "answered by  claude-haiku-4-5" in shown
    assert "charged" not in shown
    rehearsed = run("runs", "show", "run_01").out
    assert "answered by  rehearsal" in rehearsed
    assert "charged to   nothing: it is rehearsed" in rehearsed
    listed = run("runs", "ls").out
    assert "claude-haiku-4-5" in listed
    assert "rehearsal" in listed


def test_a_workflow_shows_whether_models_answered(run: Run, stage: Stage) -> None:
    for more, text in (
        ({"rehearsed": True, "charged": False}, "answered by  rehearsal"),
        ({"rehearsed": False, "charged": True}, "answered by  models"),
    ):
        stage(ok(a_workflow_run(**more)))
        assert text in run("workflows", "show-run", "run_01").out


def test_an_older_stage_does_not_say(run: Run, stage: Stage) -> None:
    old = {name: value for name, value in a_run().items() if name not in ("answered_by", "charged")}
    stage(ok(old), ok({"runs": [old], "next_cursor": None}))
    assert "answered by" not in run("runs", "show", "run_01").out
    assert "run_01" in run("runs", "ls").out
