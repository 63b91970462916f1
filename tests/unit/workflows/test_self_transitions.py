"""A task of a state machine may lead to itself: it is registered, planned and run like any other circle."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.workflows.compiler.compile import compile_workflow
from stepward.workflows.planner.plan import plan
from stepward.workflows.proofs.catalog import prove, refusals
from tests.support.workflow_doubles import well
from tests.support.workflow_world import WorkflowWorld

UNTIL_THIRD = "{% $tasks.a.n >= 2 %}"
AGAIN = {"to": "a"}
DONE = {"id": "done", "type": "transform", "output": "{% $tasks.a %}"}
INNER = {"id": "x", "type": "transform", "output": 1}
KINDS: dict[str, dict[str, Any]] = {
    "transform": {"type": "transform", "output": {"n": "{% $tasks.a.n + 1 %}"}},
    "webhook": {"type": "webhook", "wait_for_call": True, "timeout_s": 60},
    "agent": {"type": "agent", "agent": "helper"},
    "foreach": {"type": "foreach", "items": [1], "tasks": [INNER]},
    "loop": {"type": "loop", "until": "{% true %}", "max_iterations": 2, "tasks": [INNER]},
    "wait": {"type": "wait", "seconds": 1},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "way",
    [
        [AGAIN],
        [{"to": "done", "when": UNTIL_THIRD}, AGAIN],
        [{"to": "a", "when": "{% true %}"}, {"to": "done"}],
    ],
)
def test_it_is_proved_and_planned(kind: str, way: list[Any]) -> None:
    tasks = [{"id": "a", "max_visits": 3, "next": way, **KINDS[kind]}, *([DONE] if len(way) > 1 else [])]
    definition = WorkflowWorld().register(tasks, start="a")
    compiled = compile_workflow(definition)
    assert refusals(prove(definition, compiled)) == []
    assert plan(definition, compiled).states.most > 3


def test_it_is_visited_until_a_way_leads_on() -> None:
    world, visits = WorkflowWorld(), iter(range(9))
    world.reach.answers["a"] = lambda place, given: well({"n": next(visits)})
    again = {
        "id": "a",
        "max_visits": 5,
        "next": [{"to": "done", "when": UNTIL_THIRD}, AGAIN],
        **KINDS["webhook"],
    }
    ran = world.run([again, DONE], start="a")
    assert (ran.status, ran.output) == ("COMPLETED", {"n": 2})
    assert ran.entered.count("a") == 3


def test_it_is_visited_no_more_often_than_it_may() -> None:
    again = {"id": "a", "max_visits": 3, "next": [AGAIN], **KINDS["wait"]}
    ran = WorkflowWorld().run([again], start="a")
    assert (ran.status, ran.entered.count("a")) == ("FAILED", 3)
    assert ran.head.error is not None
    assert ran.head.error.code == "MaxIterationsReached"
