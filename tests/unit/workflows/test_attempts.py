"""Further attempts at tasks that somebody else answers: after a failure that may pass, and after a time that is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stepward.domain.errors import ToolUnavailable
from stepward.tasks import webhook
from tests.support.workflow_doubles import ill, nobody, well
from tests.support.workflow_world import WorkflowWorld
from tests.unit.workflows.test_run_awaited import APPROVE, ASK, after

AGAIN = {"strategy": "constant", "max_attempts": 3, "base_s": 5}


@pytest.mark.parametrize("answered", [None, 1, 2, 3])
@pytest.mark.parametrize("slow_s", [0.0, 4.0])
def test_a_time_that_is_over_is_tried_again_where_the_task_says_so(
    answered: int | None, slow_s: float
) -> None:
    world = WorkflowWorld(duration_s=lambda path, at: slow_s)
    world.reach.answers["may"] = lambda place, given: well("yes") if place.attempt == answered else None
    ran = world.run([{**APPROVE, "retry": AGAIN, "fallback": {"output": "none"}}, after("may")], "I")
    assert (ran.status, ran.output) == ("COMPLETED", {"may": "yes" if answered else "none"})
    assert [place.attempt for place, _ in world.reach.questions] == [1, 2, 3][:answered]
    # Each of them has its own minute, and the pause that the rule says.
    assert world.loop.now_s >= ((answered or 4) - 1) * 60


@pytest.mark.parametrize("seconds", [1, 2, 5, 20])
@pytest.mark.parametrize("slow_s", [0.0, 3.0, 15.0])
def test_a_short_time_that_is_over_is_seen_by_a_slow_function(seconds: int, slow_s: float) -> None:
    calls = iter(range(100))
    world = WorkflowWorld(duration_s=lambda path, at: slow_s if next(calls) == 0 else slow_s / 10)
    world.reach.answers["may"] = nobody
    fallback = {"output": "none"}
    ran = world.run([{**APPROVE, "timeout_s": seconds, "fallback": fallback}, after("may")], "I")
    assert (ran.status, ran.output) == ("COMPLETED", {"may": "none"})


def test_a_workflows_own_retry_asks_nobody_twice() -> None:
    world = WorkflowWorld()
    world.reach.answers["may"] = nobody
    ran = world.run([{**APPROVE, "on_error": "continue"}], "I", retry=AGAIN)
    assert (ran.status, ran.error("may"), len(world.reach.questions)) == ("FAILED", "TaskTimedOut", 1)


def test_a_machine_made_before_times_were_tried_again_ends_as_it_did() -> None:
    world = WorkflowWorld()
    world.reach.answers["may"] = nobody
    world.program = lambda *names: world.registry.program(*names).model_copy(  # type: ignore[assignment]
        update={"retries_timeouts": False}
    )
    world.ports = replace(world.ports, program=world.program)
    ran = world.run([{**APPROVE, "retry": AGAIN, "fallback": {"output": "none"}}, after("may")], "I")
    assert (ran.status, ran.output, len(world.reach.questions)) == ("COMPLETED", {"may": "none"}, 1)


@pytest.mark.parametrize("passing", [True, False])
def test_an_attempt_whose_time_is_over_fails_nothing_any_more(passing: bool) -> None:
    """The agent of the first attempt sees that nobody waits and ends: that is no answer to the second."""
    world = WorkflowWorld()
    world.reach.delay_s = lambda place: 45.0 if place.attempt == 1 else 20.0
    world.reach.answers["ask"] = lambda place, given: (
        ill("RunCancelled", passing=passing) if place.attempt == 1 else well("second")
    )
    ran = world.run([{**ASK, "timeout_s": 30, "retry": AGAIN}, after("ask")])
    assert (ran.status, ran.output, len(world.reach.agents)) == ("COMPLETED", {"ask": "second"}, 2)


@pytest.mark.parametrize(
    ("code", "runs"), [("ToolUnavailable", 3), ("States.Timeout", 3), ("BudgetExceeded", 1), ("NotFound", 1)]
)
def test_a_workflow_within_a_workflow_is_run_again(code: str, runs: int) -> None:
    """What it fails by decides: the same failure of a workflow as of an agent, which stands in it."""
    world = WorkflowWorld()
    world.reach.answers["ask"] = lambda place, given: (
        ill(code) if len(world.reach.agents) < 3 else well("at last")
    )
    world.register([ASK], id="other")
    sub = {"id": "sub", "type": "subworkflow", "workflow": "other", "retry": AGAIN}
    ran = world.run([{**sub, "on_error": "continue"}, after("sub", run_when="always")])
    assert len(world.reach.agents) == runs
    assert ran.output == ({"sub": "at last"} if runs == 3 else None)
    assert ran.error("sub") == (None if runs == 3 else code)


@pytest.mark.parametrize(("needed", "status"), [(1, "COMPLETED"), (3, "COMPLETED"), (4, "FAILED")])
def test_a_call_that_could_not_be_made_is_made_again(
    needed: int, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def call(settings: Any, payload: dict[str, Any], context: Any) -> None:
        del settings, context
        made.append(payload["callback_url"])
        if len(made) < needed:
            raise ToolUnavailable("it answered 503.")

    monkeypatch.setattr(webhook, "_call", call)
    world = WorkflowWorld()
    world.reach.delay_s = lambda place: 40.0
    hook = {"id": "hook", "type": "webhook", "wait_for_call": True, "url": "https://a.example/x"}
    ran = world.run([{**hook, "timeout_s": 60, "retry": AGAIN}])
    assert (ran.status, len(made)) == (status, min(needed, 3))
    assert len(set(made)) == len(made)
