"""Workflows that go from task to task: where they go, how often, and what a death on the way changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.workflow_world import Died, Ran, WorkflowWorld


def step(name: str, output: Any, *ways: Any, **more: Any) -> dict[str, Any]:
    following = [{"to": way} if isinstance(way, str) else {"to": way[0], "when": way[1]} for way in ways]
    return {"id": name, "type": "transform", "output": output, "next": following, **more}


CIRCLE = [
    step("draft", "{% $exists($tasks.review) ? $tasks.review + 1 : 0 %}", "review", max_visits=4),
    step("review", "{% $tasks.draft %}", ("done", "{% $tasks.review >= 2 %}"), "draft", max_visits=4),
    step("done", "{% 'after ' & $string($tasks.draft) %}"),
]


def run(tasks: list[dict[str, Any]], world: WorkflowWorld | None = None, **said: Any) -> Ran:
    return (world or WorkflowWorld()).run(tasks, {"n": 1}, start=tasks[0]["id"], **said)


def visited(ran: Ran) -> list[str]:
    known = sorted(ran.looked.records, key=lambda task: int("".join(filter(str.isdigit, task.at)) or 0))
    return [task.path for task in known]


def test_it_goes_where_the_first_way_that_holds_leads() -> None:
    ran = run(CIRCLE)
    assert (ran.status, visited(ran)) == ("COMPLETED", ["draft", "review"] * 3 + ["done"])
    assert ran.outputs["done@step[6]"] == "after 2"


def test_no_circle_is_endless() -> None:
    tasks = [*CIRCLE[:1], {**CIRCLE[1], "max_visits": 2}, CIRCLE[2]]
    ran = run(tasks)
    assert ran.status == "FAILED"
    assert ran.head.error is not None
    assert visited(ran).count("review") == 2


def test_a_failure_ends_it() -> None:
    ran = run([step("a", "{% $error('no') %}", "b"), step("b", 1)])
    assert (ran.status, visited(ran)) == ("FAILED", ["a"])


@pytest.mark.parametrize("before", [True, False])
def test_a_death_at_any_entry_changes_nothing(before: bool) -> None:
    for at in range(len(_entries())):
        world = WorkflowWorld()
        room, seen = world.room, [0]

        def mortal(request: Any, room: Any = room, seen: list[int] = seen, at: int = at) -> Any:
            seen[0] += 1
            dies = seen[0] == at + 1
            if dies and before:
                raise Died
            answer = room(request)
            if dies:
                raise Died
            return answer

        world.room = mortal  # type: ignore[method-assign]
        ran = run(CIRCLE, world)
        assert (ran.status, visited(ran)) == ("COMPLETED", ["draft", "review"] * 3 + ["done"])


def _entries() -> list[Any]:
    world = WorkflowWorld()
    run(CIRCLE, world)
    return world.requests
