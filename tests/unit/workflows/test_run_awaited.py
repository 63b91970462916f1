"""Tasks that somebody else answers: agents, people, callers, other workflows."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.ports.tasks import TaskOutcome
from tests.support.workflow_doubles import ill, nobody, well
from tests.support.workflow_world import Died, WorkflowWorld

ASK = {"id": "ask", "type": "agent", "agent": "helper", "with": {"input": "{% $input %}"}}
APPROVE = {"id": "may", "type": "human", "question": "{% 'May ' & $input & '?' %}", "timeout_s": 60}
RETRIES = [
    {"strategy": "immediate", "max_attempts": 5},
    {"strategy": "constant", "max_attempts": 5, "base_s": 1},
    {"strategy": "linear", "max_attempts": 5, "base_s": 3},
    {"strategy": "exponential", "max_attempts": 5, "base_s": 5},
]


def after(*needs: str, **more: Any) -> dict[str, Any]:
    return {"id": "after", "type": "transform", "output": "{% $tasks %}", "needs": needs, **more}


def test_an_agents_answer_is_the_output() -> None:
    world = WorkflowWorld()
    world.reach.answers["ask"] = lambda place, given: well({"said": given}, cost=120)
    world.reach.delay_s = lambda place: 500.0
    ran = world.run([ASK, after("ask")], "hello")
    assert (ran.status, ran.output, world.loop.now_s) == ("COMPLETED", {"ask": {"said": "hello"}}, 500)
    assert ran.head.totals.cost_usd_micros == 120
    assert ran.entered == ["ask", "after", "settle run"]


def test_an_answer_that_comes_before_the_wait_is_not_lost() -> None:
    """Every order of the answer, the room's end and its death, by a hundred seeds."""
    for seed in range(100):
        world = WorkflowWorld(seed, lambda path, at: 1.0)
        world.reach.delay_s = lambda place, world=world: world.loop.chance.choice([0.0, 0.5, 1.0])
        ran = world.run([ASK, after("ask")], "hello")
        assert ran.status == "COMPLETED"
        assert world.loop.now_s < 10


@pytest.mark.parametrize("rule", RETRIES)
def test_another_attempt_is_another_run(rule: dict[str, Any]) -> None:
    world = WorkflowWorld()
    world.reach.answers["ask"] = lambda place, given: (
        ill(passing=True) if place.attempt < 5 else well(place.attempt)
    )
    ran = world.run([{**ASK, "retry": rule}])
    assert (ran.status, ran.output, len(world.reach.agents)) == ("COMPLETED", 5, 5)
    assert ran.records["ask"].attempt == 5


@pytest.mark.parametrize("rule", RETRIES)
def test_the_last_attempts_failure_is_kept(rule: dict[str, Any]) -> None:
    world = WorkflowWorld()
    world.reach.answers["ask"] = lambda place, given: ill("ProviderUnavailable", passing=True)
    ran = world.run([{**ASK, "retry": rule, "on_error": "continue"}, after("ask", run_when="always")])
    assert (ran.status, ran.error("ask"), len(world.reach.agents)) == ("FAILED", "ProviderUnavailable", 5)
    assert ran.statuses["after"] == "COMPLETED"


def test_what_would_not_get_better_is_not_tried_again() -> None:
    world = WorkflowWorld()
    world.reach.answers["ask"] = lambda place, given: ill("BudgetExceeded")
    ran = world.run([{**ASK, "retry": RETRIES[0]}])
    assert (ran.status, ran.error("ask"), len(world.reach.agents)) == ("FAILED", "BudgetExceeded", 1)


@pytest.mark.parametrize("value", ["{% $input %}", "{% $error('no') %}"])
def test_a_fallback_stands_in_for_an_answer(value: str) -> None:
    world = WorkflowWorld()
    world.reach.answers["ask"] = lambda place, given: ill()
    ran = world.run([{**ASK, "fallback": {"output": value}}], "spare")
    assert (ran.status, ran.output) == (("COMPLETED", "spare") if "input" in value else ("FAILED", None))


@pytest.mark.parametrize("on_error", ["fail", "continue"])
def test_an_agent_that_never_answers_fails_in_time(on_error: str) -> None:
    world = WorkflowWorld()
    world.reach.answers["ask"] = nobody
    ran = world.run([{**ASK, "timeout_s": 30, "on_error": on_error}, after("ask", run_when="always")])
    assert (ran.status, ran.error("ask")) == ("FAILED", "TaskTimedOut")
    assert ran.statuses.get("after") == ("COMPLETED" if on_error == "continue" else None)
    assert world.loop.now_s == 31


def test_an_agent_without_a_time_fails_after_a_day() -> None:
    world = WorkflowWorld()
    world.reach.answers["ask"] = nobody
    ran = world.run([{**ASK, "on_error": "continue"}, after("ask", run_when="always")], timeout_s=1_000_000)
    assert (ran.error("ask"), ran.statuses["after"], world.loop.now_s) == (
        "TaskTimedOut",
        "COMPLETED",
        86_401,
    )


def test_a_late_answer_changes_nothing() -> None:
    world = WorkflowWorld()
    world.reach.delay_s = lambda place: 100.0
    ran = world.run([{**ASK, "timeout_s": 30}])
    world.loop.run()
    assert world.store.full_snapshot(ran.key).records == ran.looked.records


def test_a_persons_yes_is_the_output() -> None:
    world = WorkflowWorld()
    ran = world.run([APPROVE, after("may")], "I")
    assert (ran.status, ran.output) == ("COMPLETED", {"may": {"decision": "approve", "by": "ann"}})
    ((_, question),) = world.reach.questions
    assert (question.question, question.settings["timeout_s"]) == ("May I?", 60)


def test_a_persons_no_is_a_failure_or_a_decision_to_look_at() -> None:
    for on_deny, status in (("fail", "FAILED"), ("continue", "COMPLETED")):
        world = WorkflowWorld()
        world.reach.answers["may"] = lambda place, given: well({"decision": "deny", "by": "ben"})
        ran = world.run([{**APPROVE, "on_deny": on_deny}, after("may")], "I")
        assert ran.status == status
        assert ran.error("may") == ("ApprovalDenied" if on_deny == "fail" else None)


@pytest.mark.parametrize("fallback", [None, {"output": {"decision": "none"}}])
def test_a_person_who_does_not_answer(fallback: Any) -> None:
    world = WorkflowWorld()
    world.reach.answers["may"] = nobody
    ran = world.run([{**APPROVE, **({"fallback": fallback} if fallback else {})}, after("may")], "I")
    assert ran.status == ("COMPLETED" if fallback else "FAILED")
    assert (ran.records["may"].error or ill().error).code == "TaskTimedOut"  # type: ignore[union-attr]
    assert ran.records["may"].fell_back is bool(fallback)


def test_a_webhook_waits_for_its_call() -> None:
    world = WorkflowWorld()
    world.reach.delay_s = lambda place: 20.0
    ran = world.run([{"id": "hook", "type": "webhook", "wait_for_call": True, "timeout_s": 60}])
    assert (ran.status, ran.output, world.loop.now_s) == ("COMPLETED", {"called": True}, 20)


def test_a_webhook_that_cannot_be_sent_fails_its_task() -> None:
    hook = {
        "id": "hook",
        "type": "webhook",
        "wait_for_call": True,
        "url": "https://not-allowed.example/x",
        "timeout_s": 60,
    }
    world = WorkflowWorld()
    world.reach.answers["hook"] = nobody
    ran = world.run([{**hook, "on_error": "continue"}, after("hook", run_when="always")])
    assert (ran.status, ran.statuses) == ("FAILED", {"hook": "FAILED", "after": "COMPLETED"})


def test_a_workflow_within_a_workflow() -> None:
    world = WorkflowWorld()
    world.register([{"id": "twice", "type": "transform", "output": "{% $input.n * 2 %}"}], id="other")
    sub = {"id": "sub", "type": "subworkflow", "workflow": "other", "with": {"n": "{% $input %}"}}
    ran = world.run([sub, after("sub")], 21)
    assert (ran.status, ran.output) == ("COMPLETED", {"sub": 42})
    child = ran.records["sub"].child
    assert child is not None
    assert child != ran.key.run


def test_a_workflow_within_a_workflow_that_fails() -> None:
    world = WorkflowWorld()
    world.register([{"id": "bad", "type": "transform", "output": "{% $error('no') %}"}], id="other")
    ran = world.run([{"id": "sub", "type": "subworkflow", "workflow": "other"}])
    assert (ran.status, ran.error("sub")) == ("FAILED", "OutputMalformed")


def test_a_workflow_that_runs_itself_is_stopped() -> None:
    world = WorkflowWorld()
    ran = world.run([{"id": "sub", "type": "subworkflow", "workflow": "flow"}])
    assert (ran.status, ran.error("sub")) == ("FAILED", "NotAllowed")


def test_what_cannot_be_set_going_fails_its_task() -> None:
    world = WorkflowWorld()
    ran = world.run(
        [
            {"id": "sub", "type": "subworkflow", "workflow": "missing", "on_error": "continue"},
            after("sub", run_when="always"),
        ]
    )
    assert (ran.error("sub"), ran.statuses["after"]) == ("NotFound", "COMPLETED")


@pytest.mark.parametrize("before", [True, False])
def test_a_death_sets_nothing_going_twice(before: bool) -> None:
    world = WorkflowWorld()
    room = world.room
    world.reach.delay_s = lambda place: 100.0

    def mortal(request: Any) -> Any:
        if request.task == "ask" and request.tries == 0:
            if not before:
                room(request)
            raise Died
        return room(request)

    world.room = mortal  # type: ignore[method-assign]
    ran = world.run([ASK], "hello")
    assert (ran.status, len(world.reach.agents)) == ("COMPLETED", 1)


def test_an_answer_that_comes_twice_is_one() -> None:
    world = WorkflowWorld()
    outcomes: list[TaskOutcome] = []

    def twice(place: Any, given: Any) -> TaskOutcome:
        del given
        outcomes.append(well(len(outcomes)))
        world.loop.later(5, lambda: world.answer_task(key, place, well("second")))
        return outcomes[-1]

    world.reach.answers["ask"] = twice
    world.register(
        [ASK, {"id": "rest", "type": "wait", "seconds": 20, "needs": ["ask"]}, after("ask", "rest")]
    )
    key = world.start()
    ran = world.finish(key)
    assert (ran.status, ran.outputs["ask"]) == ("COMPLETED", 0)
