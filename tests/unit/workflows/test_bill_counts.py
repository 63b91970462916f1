"""What a bill counts of answers, events and records, and that it lies within the plan."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.workflows.compiler.compile import compile_workflow
from stepward.workflows.planner.costs import CostBounds
from stepward.workflows.planner.usage_bounds import entered_states
from stepward.workflows.program.iteration_bounds import IterationBounds
from tests.support.workflow_world import WorkflowWorld


def a_task(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "transform", "output": 1, "needs": needs, **more}


def counted(tasks: list[dict[str, Any]], given: Any = None, **said: Any) -> dict[str, int]:
    aws = WorkflowWorld().run(tasks, given, **said).head.aws
    assert aws is not None
    return aws.counts


def test_a_call_from_outside_passes_no_authorizer_and_a_decision_does() -> None:
    waits = counted([{"id": "x", "type": "webhook", "wait_for_call": True, "timeout_s": 60}])
    asks = counted([{"id": "x", "type": "human", "question": "May I?", "timeout_s": 60}])
    # Of the start two, of the task and of the end one each.
    assert (waits["lambda_requests"], waits["http_requests"]) == (4 + 1, 2)
    assert (asks["lambda_requests"], asks["http_requests"]) == (4 + 2, 2)


def test_an_event_that_is_not_put_is_not_billed() -> None:
    tell = {"id": "tell", "type": "event", "event": "shop.told"}
    assert counted([tell])["events"] == 2
    assert counted([{**tell, "when": "{% false %}"}])["events"] == 1


@pytest.mark.parametrize(
    "task", [{"type": "wait", "seconds": 5}, {"type": "foreach", "items": [1], "tasks": [a_task("in")]}]
)
def test_what_is_skipped_is_kept_by_each_of_its_two_states(task: dict[str, Any]) -> None:
    no = {"when": "{% false %}"}
    once = counted([{**a_task("x"), **no}])["write_units"]
    assert counted([{"id": "x", **task, **no}])["write_units"] == once + 1


def test_the_parts_of_a_large_list_are_billed() -> None:
    each = {
        "id": "each",
        "type": "foreach",
        "items": "{% $input %}",
        "max_items": 1_000,
        "tasks": [a_task("in")],
    }
    written = [
        counted([{**each, "chunk_size": 40}], list(range(items)))["write_units"] for items in (100, 101, 102)
    ]
    assert written[1] - written[0] == written[2] - written[1] + 1


def test_a_state_machine_is_billed_within_its_plan() -> None:
    world = WorkflowWorld()
    steps = [{**a_task(name), "next": [{"to": to}]} for name, to in ("ab", "bc")]
    ran = world.run([*steps, a_task("c")], start="a")
    program = world.program("acme", "flow", "1.0.0")
    machine = compile_workflow(program.definition).machine
    costs = CostBounds(program, entered_states(program, machine), IterationBounds(program))
    assert ran.head.aws is not None and ran.status == "COMPLETED"
    for name in ("transitions", "lambda_requests", "write_units", "read_units"):
        assert costs.counts[name].least <= ran.head.aws.counts[name] <= costs.counts[name].most
