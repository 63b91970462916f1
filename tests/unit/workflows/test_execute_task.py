"""Tasks that work in their own state: what they bring, when they are tried again, what a death leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepward.domain.errors import StoreThrottled, ToolFailed, ToolUnavailable
from stepward.domain.task_records import TaskRecord
from stepward.workflows.runs.task_requests import TaskRequest
from tests.support.workflow_world import Died, WorkflowWorld

BY_MACHINE = {"strategy": "exponential", "max_attempts": 3, "base_s": 3, "max_s": 60}
IN_PROCESS = {"strategy": "linear", "max_attempts": 3, "base_s": 1}


def a_transform(name: str = "a", output: Any = 1, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "transform", "output": output, "needs": needs, **more}


def a_call(name: str = "call", effect: str = "idempotent", **more: Any) -> dict[str, Any]:
    """A call of a function that the test says."""
    config = {
        "function": "served",
        "description": "Serves.",
        "effect": effect,
        "arguments": {"type": "object"},
    }
    return {"id": name, "type": "tool", "tool": "lambda_function", "config": config, **more}


def failing(times: int, error: Exception) -> Callable[[Any], Any]:
    """Serve well after so many failures."""
    left = [error] * times

    def serve(event: Any) -> Any:
        del event
        if left:
            raise left.pop()
        return "served"

    return serve


def dying(world: WorkflowWorld, task: str, *, times: int, before: bool) -> None:
    """Let the process of a task die so often, before or after it did its work."""
    room, left = world.room, [None] * times

    def mortal(request: TaskRequest) -> dict[str, Any]:
        dies = request.task == task and bool(left)
        if dies and before:
            left.pop()
            raise Died
        answer = room(request)
        if dies:
            left.pop()
            raise Died
        return answer

    world.room = mortal  # type: ignore[method-assign]


def test_a_transform_gives_what_its_expressions_give() -> None:
    tasks = [
        a_transform("a", {"n": "{% $input.n + 1 %}", "t": "text"}),
        a_transform("b", "{% $tasks.a.n * 2 %}", "a"),
    ]
    ran = WorkflowWorld().run(tasks, {"n": 1})
    assert (ran.status, ran.output) == ("COMPLETED", 4)
    assert ran.outputs == {"a": {"n": 2, "t": "text"}, "b": 4}
    assert ran.entered == ["a", "b", "settle run"]


def test_a_transform_without_output_gives_its_inputs() -> None:
    ran = WorkflowWorld().run([{"id": "a", "type": "transform", "with": {"x": "{% $input %}"}}], 7)
    assert ran.output == {"x": 7}


def test_what_an_expression_knows_of_its_run() -> None:
    ran = WorkflowWorld().run([a_transform("a", "{% $run %}")])
    assert ran.output == {
        "id": ran.key.run, "workflow": "flow", "version": "1.0.0", "started_at": "2026-01-01T00:00:00.000Z"
    }  # fmt: skip


def test_an_expression_that_cannot_be_evaluated_fails_its_task() -> None:
    ran = WorkflowWorld().run([a_transform("a", "{% $error('no') %}"), a_transform("b", 1, "a")])
    assert (ran.status, ran.error("a")) == ("FAILED", "OutputMalformed")
    assert "b" not in ran.statuses
    assert ran.head.error is not None
    assert ran.head.error.detail.startswith("a: ")
    assert ran.execution.status == "FAILED", "a failed run is a failed execution"


def test_a_tool_is_called_with_the_inputs() -> None:
    task = {"id": "sum", "type": "tool", "tool": "calculate", "with": {"expression": "{% $input & ' * 7' %}"}}
    ran = WorkflowWorld().run([task], "6")
    assert ran.status == "COMPLETED"
    assert "42" in str(ran.output)


def test_a_tools_error_fails_the_task_at_once() -> None:
    task = {
        "id": "sum",
        "type": "tool",
        "tool": "calculate",
        "with": {"expression": "6 / 0"},
        "retry": IN_PROCESS,
    }
    world = WorkflowWorld()
    ran = world.run([task])
    assert ran.status == "FAILED"
    assert (world.pauses, ran.entered) == ([], ["sum", "settle run"])


def test_short_pauses_are_made_in_the_process() -> None:
    world = WorkflowWorld()
    world.functions["served"] = failing(2, ToolUnavailable("busy"))
    ran = world.run([a_call(retry=IN_PROCESS)])
    assert (ran.status, ran.output) == ("COMPLETED", "served")
    assert world.pauses == [1.0, 2.0]
    assert len(world.requests) == 2
    assert ran.records["call"].attempt == 3


def test_long_pauses_are_made_by_the_machine() -> None:
    world = WorkflowWorld()
    world.functions["served"] = failing(2, ToolUnavailable("busy"))
    ran = world.run([a_call(retry=BY_MACHINE)])
    assert (ran.status, ran.output) == ("COMPLETED", "served")
    assert world.pauses == []
    assert [request.tries for _, request in world.requests] == [0, 1, 2, 0]
    assert ran.records["call"].attempt == 3
    assert world.loop.now_s == pytest.approx(3 + 6)


@pytest.mark.parametrize("rule", [IN_PROCESS, BY_MACHINE, None])
def test_the_last_failure_is_kept(rule: Any) -> None:
    world = WorkflowWorld()
    world.functions["served"] = failing(9, ToolUnavailable("busy"))
    ran = world.run([a_call(**({"retry": rule} if rule else {}))])
    assert (ran.status, ran.error("call")) == ("FAILED", "ToolUnavailable")
    assert ran.records["call"].attempt == (3 if rule else 1)


@pytest.mark.parametrize("rule", [IN_PROCESS, BY_MACHINE])
def test_what_no_attempt_would_mend_is_not_tried_again(rule: Any) -> None:
    world = WorkflowWorld()
    world.functions["served"] = failing(1, ToolFailed("wrong"))
    ran = world.run([a_call(retry=rule)])
    assert (ran.status, ran.error("call")) == ("FAILED", "ToolFailed")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("rule", [IN_PROCESS, BY_MACHINE, None])
def test_a_task_whose_process_died_runs_again(rule: Any, before: bool) -> None:
    world = WorkflowWorld()
    dying(world, "call", times=2, before=before)
    world.functions["served"] = failing(0, ToolUnavailable(""))
    ran = world.run([a_call(**({"retry": rule} if rule else {}))])
    assert (ran.status, ran.output) == ("COMPLETED", "served")


@pytest.mark.parametrize("on_error", ["fail", "continue"])
@pytest.mark.parametrize("rule", [IN_PROCESS, BY_MACHINE, None])
def test_a_task_whose_process_always_dies_has_its_failure_kept(rule: Any, on_error: str) -> None:
    world = WorkflowWorld()
    world.functions["served"] = _dies
    task = a_call(on_error=on_error, **({"retry": rule} if rule else {}))
    ran = world.run([task, a_transform("other", 1, "call", run_when="always")])
    assert (ran.status, ran.error("call")) == ("FAILED", "TaskCrashed")
    assert ran.statuses.get("other") == ("COMPLETED" if on_error == "continue" else None)


def _dies(event: Any) -> Any:
    raise Died


def test_what_may_happen_once_does_not_happen_again_after_a_death() -> None:
    world, served = WorkflowWorld(), []
    world.functions["served"] = served.append
    keep, deaths = world.store.keep, iter([True])

    def dies(*said: Any) -> tuple[TaskRecord, Any]:
        if next(deaths, False):
            raise Died
        return keep(*said)

    world.store.keep = dies  # type: ignore[method-assign]
    ran = world.run([a_call(effect="once")])
    assert (ran.status, ran.error("call")) == ("FAILED", "outcome_unknown")
    assert len(served) == 1


def test_a_store_that_has_no_time_is_asked_again() -> None:
    world = WorkflowWorld()
    look, left = world.store.snapshot, [None] * 2

    def slow(*said: Any) -> Any:
        if left:
            left.pop()
            raise StoreThrottled("not now")
        return look(*said)

    world.store.snapshot = slow  # type: ignore[method-assign]
    assert world.run([a_transform()]).status == "COMPLETED"


def test_an_event_is_put_with_an_id_of_its_own() -> None:
    world = WorkflowWorld()
    ran = world.run(
        [{"id": "tell", "type": "event", "event": "order.paid", "with": {"n": "{% $input %}"}}], 5
    )
    assert world.events == [("order.paid", f"{ran.key.run}:tell", {"n": 5})]
    assert ran.output == {"event": "order.paid", "id": f"{ran.key.run}:tell"}


@pytest.mark.parametrize("answer", [True, False])
def test_a_condition_runs_one_of_its_branches(answer: bool) -> None:
    tasks = [
        {"id": "ask", "type": "condition", "test": "{% $input %}", "then": ["yes"], "otherwise": ["no"]},
        a_transform("yes", "y"), a_transform("no", "n"), a_transform("after", "{% $tasks %}", "yes", "no", run_when="any_done"),
    ]  # fmt: skip
    ran = WorkflowWorld().run(tasks, answer)
    taken, left = ("yes", "no") if answer else ("no", "yes")
    assert ran.statuses == {"ask": "COMPLETED", taken: "COMPLETED", left: "SKIPPED", "after": "COMPLETED"}
    assert ran.output == {"ask": answer, taken: taken[0]}


def test_a_condition_that_answers_neither_fails() -> None:
    ran = WorkflowWorld().run(
        [{"id": "ask", "type": "condition", "test": "{% $input %}", "then": ["yes"]}, a_transform("yes")], 3
    )
    assert (ran.status, ran.error("ask")) == ("FAILED", "OutputMalformed")


def test_a_wait_takes_its_time() -> None:
    tasks = [{"id": "rest", "type": "wait", "seconds": 90}, a_transform("after", 1, "rest")]
    world = WorkflowWorld()
    ran = world.run(tasks)
    assert (ran.status, world.loop.now_s) == ("COMPLETED", 90)
    assert ran.entered == ["rest", "rest passes", "rest done", "after", "settle run"]
    assert (ran.records["rest"].started_at, ran.records["rest"].ended_at) == (
        "2026-01-01T00:00:00.000Z", "2026-01-01T00:01:30.000Z"
    )  # fmt: skip


def test_a_wait_ends_at_its_time_and_a_time_that_is_over_is_no_wait() -> None:
    tasks = [
        {"id": "rest", "type": "wait", "until": "2026-01-01T00:05:00Z"},
        {"id": "again", "type": "wait", "until": "2026-01-01T00:04:00Z", "needs": ["rest"]},
    ]
    world = WorkflowWorld()
    assert world.run(tasks).status == "COMPLETED"
    assert world.loop.now_s == 300


def test_a_wait_that_is_skipped_takes_no_time() -> None:
    world = WorkflowWorld()
    ran = world.run([{"id": "rest", "type": "wait", "seconds": 90, "when": "{% false %}"}])
    assert (ran.status, ran.statuses, world.loop.now_s) == ("COMPLETED", {"rest": "SKIPPED"}, 0)


@pytest.mark.parametrize("size", [2_000, 150_000])
def test_large_outputs_are_kept_beside_and_read_back(size: int) -> None:
    tasks = [
        a_transform("a", "{% $input %}"), a_transform("b", "{% $input %}"),
        a_transform("left", "{% $length($tasks.a) %}", "a"), a_transform("right", "{% $length($tasks.a & $tasks.b) %}", "a", "b"),
    ]  # fmt: skip
    ran = WorkflowWorld().run(tasks, "x" * size, output={"l": "{% $tasks.left %}", "all": "{% $tasks.a %}"})
    assert ran.outputs["right"] == 2 * size
    assert ran.output == {"l": size, "all": "x" * size}
    assert ran.records["a"].output_bytes == size + 2, "in an item that others write, too"
