"""on_error, fallback, retry and timeout_s hold for groups, foreach and loops: what is within answers to them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.workflow_doubles import ill, well
from tests.support.workflow_texts import only
from tests.support.workflow_world import Ran, WorkflowWorld

ILL = {"id": "a", "type": "transform", "output": "{% $error('no') %}"}
KINDS: dict[str, dict[str, Any]] = {
    "foreach": {"type": "foreach", "items": [1, 2]},
    "chunks": {"type": "foreach", "items": [1, 2], "chunk_size": 1},
    "loop": {"type": "loop", "until": "{% $iteration = 1 %}", "max_iterations": 3},
    "group": {"type": "parallel"},
}
AFTER = {"id": "q", "type": "transform", "needs": ["f"], "output": "{% $tasks.f %}"}


def run(*tasks: dict[str, Any], **said: Any) -> Ran:
    return WorkflowWorld().run(list(tasks), **said)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [{}, {"on_error": "continue"}])
def test_what_stands_in_for_it_takes_its_place(kind: str, more: dict[str, Any]) -> None:
    each = {"id": "f", **KINDS[kind], "tasks": [ILL], "fallback": {"output": "stood-in"}, **more}
    ran = run(each, AFTER)
    assert (ran.status, ran.output) == ("COMPLETED", "stood-in")
    alone = run(each, {"id": "z", "type": "transform", "output": 1})
    assert (alone.status, alone.output) == ("COMPLETED", {"f": "stood-in", "z": 1})


@pytest.mark.parametrize("kind", [*KINDS, "task"])
def test_what_stands_in_may_be_worked_out(kind: str) -> None:
    fallback = {"output": {"said": "{% $input.said %}", "run": "{% $exists($run.id) %}"}}
    each = {"id": "f", **KINDS[kind], "tasks": [ILL]} if kind in KINDS else {**ILL, "id": "f"}
    ran = WorkflowWorld().run([{**each, "fallback": fallback}, AFTER], {"said": "none"})
    assert (ran.status, ran.output) == ("COMPLETED", {"said": "none", "run": True})


@pytest.mark.parametrize("kind", KINDS)
def test_the_run_goes_on_where_it_may(kind: str) -> None:
    each = {"id": "f", **KINDS[kind], "tasks": [ILL], "on_error": "continue"}
    other = {"id": "o", "type": "transform", "output": 1, "needs": ["w"]}
    rest = {"id": "w", "type": "wait", "seconds": 60}
    ran = run(each, AFTER, rest, other)
    assert (ran.statuses["o"], ran.statuses["q"]) == ("COMPLETED", "SKIPPED")
    assert ran.status == "FAILED"


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_rule_of_its_own_the_run_ends(kind: str) -> None:
    ran = run({"id": "f", **KINDS[kind], "tasks": [ILL]}, AFTER)
    assert (ran.status, "q" in ran.statuses) == ("FAILED", False)


@pytest.mark.parametrize("outer", ["foreach", "loop", "group"])
@pytest.mark.parametrize("inner", KINDS)
def test_the_nearest_that_says_something_answers(outer: str, inner: str) -> None:
    said = {"id": "i", **KINDS[inner], "tasks": [ILL]}
    ran = run({"id": "f", **KINDS[outer], "tasks": [said], "fallback": {"output": "outer"}}, AFTER)
    assert (ran.status, ran.output) == ("COMPLETED", "outer")
    said = {**said, "fallback": {"output": "inner"}}
    ran = run({"id": "f", **KINDS[outer], "tasks": [said], "fallback": {"output": "outer"}}, AFTER)
    assert (ran.status, ran.output == "outer") == ("COMPLETED", False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_retry_is_that_of_the_tasks_within(kind: str) -> None:
    world = WorkflowWorld()
    world.reach.answers = {
        "f.a": lambda place, given: well(place.attempt) if place.attempt == 3 else ill(passing=True)
    }
    asks = {"id": "a", "type": "agent", "agent": "helper"}
    rule = {"strategy": "constant", "max_attempts": 3, "base_s": 1}
    ran = world.run([{"id": "f", **KINDS[kind], "tasks": [asks], "retry": rule}, AFTER])
    assert ran.status == "COMPLETED"
    assert {record.attempt for name, record in ran.records.items() if name.startswith("f.a")} == {3}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inner", ["wait", "agent", "human"])
def test_its_time_ends_what_is_within(kind: str, inner: str) -> None:
    world = WorkflowWorld()
    world.reach.answers = {"f.a": lambda place, given: None}
    tasks = {
        "wait": {"type": "wait", "seconds": 80},
        "agent": {"type": "agent", "agent": "helper"},
        "human": {"type": "human", "question": "?", "timeout_s": 80},
    }
    each = {"id": "f", **KINDS[kind], "tasks": [{"id": "a", **tasks[inner]}], "timeout_s": 20}
    ran = world.run([{**each, "fallback": {"output": "late"}}, AFTER])
    assert (ran.status, ran.output) == ("COMPLETED", "late")
    assert world.loop.now_s in (
        20,
        21,
    )  # a state whose time is over is tried once more, so that its end is kept
    ran = WorkflowWorld().run([{**each, "tasks": [{"id": "a", **tasks["wait"]}]}])
    assert ran.status == "FAILED"
    assert ran.head.error is not None
    assert ran.head.error.code == "TaskTimedOut"


def test_a_loop_has_its_time_over_all_its_rounds() -> None:
    loop = {"id": "f", "type": "loop", "timeout_s": 2, "max_iterations": 6, "until": "{% false %}"}
    world = WorkflowWorld()
    ran = world.run([{**loop, "tasks": [{"id": "w", "type": "wait", "seconds": 1}]}])
    assert (ran.status, ran.error("f"), world.loop.now_s) == ("FAILED", "TaskTimedOut", 2)


def test_groups_nest_in_what_nobody_names() -> None:
    pair = [{"id": "a", "type": "transform", "output": 1}, {"id": "b", "type": "transform", "output": 2}]
    group = {"id": "p", "type": "parallel", "tasks": pair}
    assert run(group).output == {"p": {"a": 1, "b": 2}}
    assert run(group, {"id": "c", "type": "transform", "output": 3}).output == {"p": {"a": 1, "b": 2}, "c": 3}
    assert run({"id": "e", "type": "foreach", "items": [0], "tasks": [group]}).output == [
        {"p": {"a": 1, "b": 2}}
    ]


def test_a_rule_that_is_taken_over_is_held_to_effects_too() -> None:
    text = """
        tasks:
        - id: f
          retry: 3
          foreach: [1]
          tasks: [{id: a, type: webhook, url: "https://a.example/x"}]
    """
    problem = only(text)
    assert (problem.code, problem.task) == ("once-retried", "f.a")
    assert "by the `retry` of f" in problem.detail


def test_a_state_machine_has_no_groups_of_its_own() -> None:
    text = "start: a\ntasks:\n- {id: a, parallel: [{id: x, output: 1}]}\n"
    assert only(text).code == "wrong-shape"
