"""When a task runs, what its failure does, and how the run ends by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.workflow_world import Ran, WorkflowWorld


def well(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "transform", "output": name, "needs": needs, **more}


def ill(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "transform", "output": "{% $error('no') %}", "needs": needs, **more}


def run(*tasks: dict[str, Any], given: Any = None, **said: Any) -> Ran:
    return WorkflowWorld().run(list(tasks), given, **said)


def test_when_decides_whether_a_task_runs() -> None:
    ran = run(
        well("a", when="{% $input.go %}"), well("b", when="{% $not($input.go) %}"), well("c", "a"), well("d", "b"),
        given={"go": True},
    )  # fmt: skip
    assert ran.statuses == {"a": "COMPLETED", "b": "SKIPPED", "c": "COMPLETED", "d": "SKIPPED"}
    assert ran.records["b"].why == "{% $not($input.go) %} is false"
    assert ran.records["d"].why == "b did not complete"
    assert ran.status == "COMPLETED"


def test_a_when_that_is_no_truth_value_fails_the_task() -> None:
    ran = run(well("a", when="{% $input.nothing %}"), given={})
    assert (ran.status, ran.error("a")) == ("FAILED", "OutputMalformed")
    assert ran.head.error is not None
    assert ran.head.error.detail == "a: `when` gave null, which is neither true nor false."


def test_a_function_is_no_output() -> None:
    ran = run({**well("a"), "output": "{% function($x) { $x } %}"})
    assert ran.head.error is not None
    assert "it gave a function" in ran.head.error.detail


@pytest.mark.parametrize(
    ("rule", "one_ill", "all_ill"),
    [("all_done", "SKIPPED", "SKIPPED"), ("any_done", "COMPLETED", "SKIPPED"), ("always", "COMPLETED", "COMPLETED")],
)  # fmt: skip
def test_run_when(rule: str, one_ill: str, all_ill: str) -> None:
    ran = run(
        well("a"), ill("b"), well("c", when="{% false %}"),
        well("one", "a", "b", run_when=rule), well("all", "b", "c", run_when=rule),
        on_error="continue",
    )  # fmt: skip
    assert (ran.statuses["one"], ran.statuses["all"]) == (one_ill, all_ill)


def test_a_task_that_runs_always_sees_how_the_others_ended() -> None:
    told = "{% {'status': $status, 'errors': $errors.b.code, 'brought': $keys($tasks)} %}"
    ran = run(
        well("a"), ill("b"), well("c", "b"), {**well("end", "a", "b", "c", run_when="always"), "output": told},
        on_error="continue",
    )  # fmt: skip
    assert ran.outputs["end"] == {
        "status": {"a": "COMPLETED", "b": "FAILED", "c": "SKIPPED"}, "errors": "OutputMalformed", "brought": "a"
    }  # fmt: skip


def test_the_error_of_a_task_says_four_things() -> None:
    end = {**well("end", "b", run_when="always"), "output": "{% $errors.b %}"}
    told = run(ill("b"), end, on_error="continue").outputs["end"]
    assert told.pop("detail")
    assert told == {"code": "OutputMalformed", "status": None, "retryable": False}
    guide = (Path(__file__).parents[3] / "shared/docs/guides/workflows.md").read_text(encoding="utf-8")
    assert "`$errors.x` is `{code, detail, status, retryable}`" in guide


def test_a_failure_ends_the_run_at_once() -> None:
    world = WorkflowWorld(duration_s=lambda path, at: {"slow": 100.0}.get(path, 1.0))
    ran = world.run([ill("a"), well("slow"), well("after", "slow")])
    assert (ran.status, world.loop.now_s) == ("FAILED", 1.0)
    assert "after" not in ran.statuses
    assert ran.execution.error is not None
    assert ran.execution.error.args[0].startswith("RunFailed: OutputMalformed: a: ")


def test_a_late_outcome_of_an_ended_run_changes_nothing() -> None:
    world = WorkflowWorld(duration_s=lambda path, at: {"slow": 100.0}.get(path, 1.0))
    ran = world.run([ill("a"), well("slow"), well("after", "slow")])
    world.loop.run()
    assert world.store.full_snapshot(ran.key).records.keys() != ran.looked.records.keys()
    assert world.runs.head(ran.key) == ran.head


def test_a_failure_that_may_be_lets_others_go_on() -> None:
    ran = run(ill("a", on_error="continue"), well("b"), well("c", "a"), well("d", "b"))
    assert ran.statuses == {"a": "FAILED", "b": "COMPLETED", "c": "SKIPPED", "d": "COMPLETED"}
    assert ran.status == "FAILED"


def test_a_task_may_be_stricter_than_its_workflow() -> None:
    ran = run(ill("a", on_error="fail"), well("b", "a", run_when="always"), on_error="continue")
    assert ran.statuses == {"a": "FAILED"}


def test_a_fallback_stands_in_for_a_failure() -> None:
    task = ill("a", fallback={"output": {"instead": "{% $input %}"}})
    ran = run(task, {**well("b", "a"), "output": "{% $tasks.a.instead %}"}, given=3)
    assert (ran.status, ran.output) == ("COMPLETED", 3)
    record = ran.records["a"]
    assert (record.fell_back, record.status.value) == (True, "COMPLETED")
    assert record.error is not None


def test_a_fallback_that_fails_fails_its_task() -> None:
    ran = run(ill("a", fallback={"output": "{% $error('twice') %}"}), well("b"))
    assert (ran.status, ran.error("a")) == ("FAILED", "OutputMalformed")


@pytest.mark.parametrize(
    ("ill_ones", "well_ones", "priority", "expected"),
    [
        (1, 3, 5, "PARTIALLY_COMPLETED"),
        (1, 3, 7, "PARTIALLY_COMPLETED"),
        (1, 3, 8, "FAILED"),
        (2, 2, 5, "PARTIALLY_COMPLETED"),
        (2, 1, 5, "FAILED"),
        (0, 2, 8, "COMPLETED"),
    ],
)
def test_a_run_may_complete_in_part(ill_ones: int, well_ones: int, priority: int, expected: str) -> None:
    bad = [ill(f"i{number}", priority=priority) for number in range(ill_ones)]
    good = [well(f"w{number}") for number in range(well_ones)]
    assert run(*good, *bad, allow_partial=True).status == expected


def test_skipped_tasks_count_for_nothing_in_a_part() -> None:
    skipped = [well(f"s{number}", when="{% false %}") for number in range(5)]
    assert run(well("w"), ill("i"), ill("j"), *skipped, allow_partial=True).status == "FAILED"


def test_a_critical_failure_ends_a_run_that_may_complete_in_part() -> None:
    ran = run(ill("a", priority=9), well("b", "a", run_when="always"), allow_partial=True)
    assert (ran.status, ran.statuses) == ("FAILED", {"a": "FAILED"})


def test_totals_count_the_tasks() -> None:
    totals = run(well("a"), ill("b"), well("c", "b"), well("d"), allow_partial=True).head.totals
    assert (totals.tasks, totals.completed, totals.failed, totals.skipped) == (4, 2, 1, 1)


def test_what_needs_a_group_needs_all_in_it() -> None:
    group = {
        "id": "both", "type": "parallel", "needs": ["first"], "tasks": [
            {**well("left"), "output": "{% $tasks.first & 1 %}"}, well("right", "left"),
            {"id": "inner", "type": "parallel", "tasks": [well("deep")]},
        ],
    }  # fmt: skip
    ran = run(well("first"), group, {**well("end", "both"), "output": "{% $tasks.both %}"})
    assert ran.output == {"left": "first1", "right": "right", "inner": {"deep": "deep"}}
    assert set(ran.statuses) == {"first", "both.left", "both.right", "both.inner.deep", "end"}


def test_a_group_that_is_skipped_is_skipped_whole() -> None:
    group = {"id": "both", "type": "parallel", "when": "{% false %}", "tasks": [well("left"), well("right")]}
    ran = run(group, well("end", "both"), well("any", "both", run_when="always"))
    assert ran.statuses == {
        "both.left": "SKIPPED", "both.right": "SKIPPED", "end": "SKIPPED", "any": "COMPLETED"
    }  # fmt: skip


def test_the_output_is_what_the_document_says() -> None:
    assert run(well("a"), output={"is": "{% $tasks.a %}", "of": "{% $input %}"}, given=1).output == {
        "is": "a",
        "of": 1,
    }
    assert run(well("a"), well("b")).output == {"a": "a", "b": "b"}
    assert run(well("a"), well("b", when="{% false %}")).output == {"a": "a"}


def test_an_output_that_cannot_be_made_fails_the_run() -> None:
    ran = run(well("a"), output="{% $error('no') %}")
    assert (ran.status, ran.output) == ("FAILED", None)
    assert ran.head.error is not None
    assert ran.head.error.code == "OutputMalformed"
