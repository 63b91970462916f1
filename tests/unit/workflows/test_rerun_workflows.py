"""What another run of a failed one takes over, and what it does once more."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.errors import Conflict, ToolFailed
from stepward.workflows.runs.begin_run import kept
from stepward.workflows.runs.start_run import RerunWorkflow, StartWorkflow
from tests.support.workflow_world import ACME, Ran, WorkflowWorld


def well(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "transform", "output": name, "needs": needs, **more}


def ill(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "transform", "output": "{% $error('no') %}", "needs": needs, **more}


def taken_over(ran: Ran) -> set[str]:
    program = ran.world.program("acme", "flow", "1.0.0")
    return {str(task) for task in kept(program, ran.looked)}


def after(*tasks: dict[str, Any], given: Any = None, **said: Any) -> set[str]:
    return taken_over(WorkflowWorld(duration_s=lambda path, at: 1.0).run(list(tasks), given, **said))


def test_what_completed_before_the_failure_is_taken_over() -> None:
    assert after(well("a"), well("b", "a"), ill("c", "b"), well("d", "c"), well("e")) == {"a", "b", "e"}


def test_who_heard_of_a_failure_hears_again() -> None:
    said = {"run_when": "always"}
    assert after(
        well("a"), ill("b", on_error="continue"), well("told", "a", "b", **said), well("more", "told")
    ) == {"a"}


def test_what_went_on_with_what_stood_in_goes_on_anew() -> None:
    assert after(ill("a", fallback={"output": 1}), well("b", "a"), well("c"), ill("d", "b", "c")) == {"c"}


def test_what_speaks_of_something_undone_is_said_anew() -> None:
    undo = {"id": "undo", "type": "transform", "output": 1}
    assert after(well("a"), well("book", "a", compensate=undo), well("bill", "book"), ill("z", "bill")) == {
        "a"
    }


def test_a_skipped_task_between_hides_nothing() -> None:
    tasks = (ill("a", on_error="continue"), well("b", "a"), well("c", "b", run_when="always"), well("d"))
    assert after(*tasks) == {"d"}


def test_a_list_with_a_failed_item_is_collected_anew_from_the_items_that_were_done() -> None:
    odd = {**well("x"), "output": "{% $item = 2 ? $error('no') : $item %}", "on_error": "continue"}
    each = {"id": "each", "type": "foreach", "items": [1, 2, 3], "tasks": [odd, well("y", "x")]}
    assert after(each, well("sum", "each"), allow_partial=True) == {
        "each.x@each[0]", "each.y@each[0]", "each.x@each[2]", "each.y@each[2]"
    }  # fmt: skip


def test_the_items_of_another_list_are_done_anew() -> None:
    each = {
        "id": "each",
        "type": "foreach",
        "needs": ["few"],
        "items": "{% $tasks.few %}",
        "tasks": [well("x")],
    }
    few = {**ill("few", fallback={"output": [1, 2]})}
    assert after(few, each, ill("z", "each")) == set()


def test_a_loop_keeps_the_rounds_before_the_one_that_failed() -> None:
    odd = {**well("x"), "output": "{% $iteration = 1 ? $error('no') : $iteration %}", "on_error": "continue"}
    loop = {
        "id": "loop",
        "type": "loop",
        "until": "{% $iteration = 2 %}",
        "max_iterations": 5,
        "tasks": [odd],
    }
    assert after(loop, allow_partial=True) == {"loop.x@loop[0]"}


def test_a_state_machine_keeps_the_steps_before_the_one_that_failed() -> None:
    steps = [
        {**well("a"), "next": [{"to": "b"}]},
        {**ill("b"), "on_error": "continue", "next": [{"to": "c"}]},
        {**well("c"), "next": [{"to": "d"}]},
        ill("d"),
    ]
    assert after(*steps, start="a") == {"a@step[0]"}


def test_a_run_that_goes_well_the_second_time_brings_what_it_should() -> None:
    world, calls = WorkflowWorld(), []

    def served(arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise ToolFailed("not yet")
        return "found"

    world.functions["served"] = served
    look = {
        "id": "look", "type": "tool", "tool": "lambda_function", "on_error": "continue",
        "config": {"function": "served", "description": "Looks.", "effect": "idempotent", "arguments": {"type": "object"}},
    }  # fmt: skip
    said = {
        **well("said", "look", "a", run_when="always"),
        "output": "{% $tasks.look ? $tasks.look : 'nothing' %}",
    }
    world.register([well("a"), look, said], allow_partial=True)
    first = world.finish(world.start())
    assert (first.status, first.outputs["said"]) == ("PARTIALLY_COMPLETED", "nothing")
    again = RerunWorkflow(world.ports, StartWorkflow(world.ports, world.registry), world.registry)
    second = world.finish(again(ACME, first.key.run).key)
    assert (second.status, second.outputs["said"], len(calls)) == ("COMPLETED", "found", 2)


def test_a_request_that_comes_twice_starts_one_run() -> None:
    world = WorkflowWorld()
    first = world.run([ill("a")])
    again = RerunWorkflow(world.ports, StartWorkflow(world.ports, world.registry), world.registry)
    heads = [again(ACME, first.key.run, key).run for key in ("k-1", "k-1", "k-2", None)]
    assert len(set(heads)) == 3
    assert heads[0] == heads[1]
    with pytest.raises(Conflict, match="used with another request"):
        StartWorkflow(world.ports, world.registry)(ACME, "flow", {}, "k-1")
