"""What a workflow's run takes of AWS: counted from what its tasks kept, held against what its machine really entered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stepward.domain.costs import CostBy, grouped
from stepward.domain.errors import Conflict, ToolUnavailable
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey
from stepward.ports.tasks import TaskOutcome
from stepward.workflows.compiler.compile import compile_workflow
from stepward.workflows.planner.plan import plan
from stepward.workflows.runs.aws_cost import Bill
from stepward.workflows.runs.start_run import RerunWorkflow, StartWorkflow
from stepward.workflows.runs.task_requests import TaskRequest
from tests.support.workflow_doubles import ill
from tests.support.workflow_world import ACME, Ran, WorkflowWorld


def a_task(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "transform", "output": 1, "needs": needs, **more}


def ask(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "agent", "agent": "helper", "needs": needs, **more}


SHAPES: dict[str, list[dict[str, Any]]] = {
    "chain": [a_task("a"), a_task("b", "a"), a_task("c", "b")],
    "cross": [a_task("a"), a_task("b"), a_task("c", "a"), a_task("d", "a", "b"), a_task("e", "b")],
    "waits": [{"id": "pause", "type": "wait", "seconds": 5}, ask("x"), a_task("end", "pause", "x")],
    "each": [
        {"id": "each", "type": "foreach", "items": [1, 2, 3], "tasks": [a_task("in"), a_task("on", "in")]},
        {"id": "none", "type": "foreach", "items": [], "tasks": [a_task("in")], "needs": ["each"]},
    ],
    "chunks": [
        {
            "id": "each",
            "type": "foreach",
            "items": [1, 2, 3],
            "chunk_size": 1,
            "tasks": [a_task("in"), a_task("on", "in")],
        },
        a_task("end", "each"),
    ],
    "again": [
        {
            "id": "again",
            "type": "loop",
            "max_iterations": 5,
            "until": "{% $iteration = 2 %}",
            "tasks": [a_task("in"), a_task("on")],
        },
        a_task("late", "again", when="{% false %}"),
    ],
    "deep": [
        {
            "id": "each",
            "type": "foreach",
            "items": [1, 2],
            "tasks": [
                {
                    "id": "until",
                    "type": "loop",
                    "max_iterations": 3,
                    "until": "{% $iteration = $index %}",
                    "tasks": [a_task("in")],
                }
            ],
        }
    ],
    "settle": [a_task("settle"), a_task("run", "settle")],
}


def bill_of(ran: Ran) -> Bill:
    return Bill(ran.world.program("acme", "flow", "1.0.0"), ran.looked)


@pytest.mark.parametrize("shape", SHAPES)
def test_states_and_functions_are_those_that_were_entered(shape: str) -> None:
    ran = WorkflowWorld().run(SHAPES[shape])
    assert ran.status == "COMPLETED"
    aws = ran.head.aws
    assert aws is not None
    executions = [ran.execution, *ran.world.chunks(ran.key)]
    assert aws.counts["transitions"] == sum(len(one.entered) for one in executions)
    assert aws.counts["lambda_requests"] == 2 + len(ran.world.requests)


def test_executions_of_chunks_are_a_part_of_the_run() -> None:
    world = WorkflowWorld()
    each = {"id": "each", "type": "foreach", "items": "{% $input %}", "tasks": [a_task("in")]}
    ran = world.run([{**each, "max_items": 1_000, "chunk_size": 4}], list(range(10)))
    inner = [len(chunk.entered) for chunk in world.chunks(ran.key)]
    assert ran.head.aws is not None
    assert len(inner) > 1
    assert ran.head.aws.counts["transitions"] == len(ran.entered) + sum(inner)
    assert ran.head.aws.counts["lambda_requests"] == 2 + len(world.requests)


def test_a_circle_counts_its_steps() -> None:
    world = WorkflowWorld()
    there = {"id": "there", "type": "transform", "output": 1, "next": [{"to": "back"}]}
    back = {
        **a_task("back"),
        "max_visits": 3,
        "next": [{"to": "done", "when": "{% $count($tasks) > 5 %}"}, {"to": "there"}],
    }
    ran = world.run([{**there, "max_visits": 2}, back, a_task("done")], start="there")
    assert ran.head.aws is not None
    # A run that fails where it asks for the way has not come to the question behind it.
    assert len(ran.entered) <= ran.head.aws.counts["transitions"] <= len(ran.entered) + 1


def test_another_attempt_is_another_state_and_its_run_is_paid_for_too() -> None:
    world = WorkflowWorld()
    costs = [(ill(passing=True), 300, 40), (None, 500, 60)]

    def answer(place: Any, given: Any) -> TaskOutcome:
        del given
        failure, cost, aws = costs[place.attempt - 1]
        outcome = failure or TaskOutcome(output="ok", child=place.child)
        return outcome.model_copy(update={"cost_usd_micros": cost, "aws_usd_micros": aws})

    world.reach.answers["x"] = answer
    retry = {"strategy": "constant", "max_attempts": 2, "base_s": 3}
    ran = world.run([ask("x", retry=retry)])
    assert ran.head.aws is not None
    assert (ran.status, ran.head.aws.counts["transitions"]) == ("COMPLETED", 3)
    assert (ran.head.totals.cost_usd_micros, ran.head.totals.runs_aws_usd_micros) == (800, 100)
    assert ran.head.totals.tool_usd_micros == 0


@pytest.mark.parametrize(("base_s", "entered"), [(0.5, 1), (5, 3)])
def test_attempts_cost_a_state_each_where_the_machine_makes_them(base_s: float, entered: int) -> None:
    world, answers = WorkflowWorld(), iter([ToolUnavailable("busy"), ToolUnavailable("busy"), {"ok": 1}])

    def busy(given: Any) -> Any:
        del given
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    world.functions["crm"] = busy
    retry = {"strategy": "constant", "max_attempts": 3, "base_s": base_s}
    config = {"function": "crm", "description": "Serves.", "effect": "idempotent"}
    ran = world.run(
        [{"id": "call", "type": "tool", "tool": "lambda_function", "config": config, "retry": retry}]
    )
    assert ran.head.aws is not None
    assert ran.records["call"].attempt == 3
    assert ran.head.aws.counts["transitions"] == len(ran.entered) + entered - 1 == entered + 1


def test_functions_are_billed_for_the_time_that_they_took() -> None:
    ran = WorkflowWorld().run([a_task("a")])
    slow = {task: record.model_copy(update={"took_ms": 4_000}) for task, record in ran.looked.records.items()}
    quick, long = (
        bill_of(ran),
        Bill(ran.world.program("acme", "flow", "1.0.0"), replace(ran.looked, records=slow)),
    )
    more = long.cost_with_end(0).counts["lambda_gb_ms"] - quick.cost_with_end(0).counts["lambda_gb_ms"]
    assert (ran.records["a"].took_ms, more) == (0, 4_000)


def test_what_an_earlier_run_did_is_not_paid_for_again() -> None:
    world = WorkflowWorld()
    world.reach.answers["x"] = lambda place, given: TaskOutcome(
        output=1, cost_usd_micros=70, aws_usd_micros=9, child=place.child
    )
    before = world.run([ask("x"), a_task("y", "x", output="{% $error('no') %}")])
    again = RerunWorkflow(world.ports, StartWorkflow(world.ports, world.registry), world.registry)
    ran = world.finish(again(ACME, before.key.run).key)
    assert (before.head.totals.cost_usd_micros, before.head.totals.runs_aws_usd_micros) == (70, 9)
    assert (ran.head.totals.cost_usd_micros, ran.head.totals.runs_aws_usd_micros) == (0, 0)
    assert ran.records["x"].taken_over
    assert bill_of(ran).tasks[TaskKey(path="x")].transitions == 0


def test_an_end_is_booked_once_however_often_it_is_settled() -> None:
    world = WorkflowWorld()
    ran = world.run([a_task("a")])
    assert ran.head.aws is not None
    run = {"v": 1, "tenant": "acme", "run": ran.key.run, "workflow": "flow", "version": "1.0.0"}
    for _ in range(3):
        world.room(TaskRequest.model_validate({"v": 1, "run": run, "step": "settle"}))
    with pytest.raises(Conflict):
        world.cancel(ran.key)
    lines = world.runs.cost_book.lines("acme", "0000", "9999")
    assert [(line.workflow, line.runs, line.aws_usd_micros) for line in lines] == [
        ("flow", 1, ran.head.aws.usd_micros)
    ]
    assert list(grouped(lines, CostBy.WORKFLOW)) == ["flow"]
    assert list(grouped(lines, CostBy.AGENT)) == [""]


def test_a_cancelled_run_is_booked_with_what_it_had_done() -> None:
    world = WorkflowWorld()
    world.reach.answers["x"] = lambda place, given: None
    world.register([a_task("a"), ask("x", "a")])
    key = world.start()
    world.loop.run(until=lambda: bool(world.reach.agents))
    head = world.cancel(key)
    assert head.aws is not None
    assert head.aws.counts["transitions"] == 2
    assert [line.runs for line in world.runs.cost_book.lines("acme", "0000", "9999")] == [1]


def test_a_workflow_within_another_hands_its_sums_up() -> None:
    world = WorkflowWorld()
    world.reach.answers["x"] = lambda place, given: TaskOutcome(
        output=1, cost_usd_micros=70, aws_usd_micros=9, child=place.child
    )
    world.register([ask("x")], id="inner")
    ran = world.run([{"id": "sub", "type": "subworkflow", "workflow": "inner"}])
    inner = world.runs.head(RunKey(tenant="acme", run=str(ran.records["sub"].child)))
    assert inner is not None and inner.aws is not None
    assert inner.aws.counts["http_requests"] == 0
    totals = ran.head.totals
    assert totals.cost_usd_micros == 70
    assert totals.runs_aws_usd_micros == 9 + inner.aws.usd_micros
    assert totals.tool_usd_micros == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_costs_what_its_plan_allows(shape: str) -> None:
    world = WorkflowWorld()
    ran = world.run(SHAPES[shape])
    definition = world.registry.version("acme", "flow", "1.0.0")
    assert definition is not None and ran.head.aws is not None
    made = plan(definition.definition, compile_workflow(definition.definition))
    most = made.aws.most_usd_micros
    assert most is not None
    assert made.aws.least_usd_micros <= ran.head.aws.usd_micros <= most
    if not made.awaits and shape != "chunks":
        # An await, and who waits for a chunk, may have to ask again for as long as the run may last; each time is billed.
        assert most < 12 * ran.head.aws.usd_micros
