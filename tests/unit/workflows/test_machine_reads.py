"""What a task of a state machine reads of others and of itself, however large it is and however often they were visited."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.workflow_world import Ran, WorkflowWorld

BIG = "{% $pad('x', 200000) %}"
"""More than a record holds."""


def makes(task: str, output: Any, *ways: tuple[str, str | None], **said: Any) -> dict[str, Any]:
    ahead = [{"to": to, **({"when": f"{{% {when} %}}"} if when else {})} for to, when in ways]
    return {"id": task, "type": "transform", "output": output, "next": ahead, **said}


def run(*tasks: dict[str, Any], **said: Any) -> Ran:
    return WorkflowWorld().run(list(tasks), start="a", **said)


def test_a_large_output_is_read_by_all_that_come_after() -> None:
    ran = run(
        makes("a", BIG, ("b", "$length($tasks.a) > 5"), ("c", None)),
        makes("b", "{% $tasks.a & 'y' %}", ("c", None)),
        makes("c", "{% $length($tasks.a) & ' ' & $length($tasks.b) %}"),
    )
    assert (ran.status, ran.output) == ("COMPLETED", "200000 200001")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "foreach", "items": [1], "collect": "{% $tasks.i & $length($tasks.a) %}"},
        {"type": "loop", "until": "{% $length($tasks.a) > 5 %}", "max_iterations": 2, "collect": "{% $tasks.i %}"},
    ],
)  # fmt: skip
def test_a_body_reads_a_large_output(body: dict[str, Any]) -> None:
    inner = {"id": "i", "type": "transform", "output": "{% $length($tasks.a) %}"}
    ran = run(makes("a", BIG, ("f", None)), {"id": "f", **body, "tasks": [inner]})
    assert ran.status == "COMPLETED"
    assert "200000" in str(ran.output)


def test_the_output_of_the_workflow_reads_large_ones() -> None:
    ran = run(makes("a", BIG, ("b", None)), makes("b", 1), output="{% $length($tasks.a) + $tasks.b %}")
    assert (ran.status, ran.output) == ("COMPLETED", 200_001)


def test_a_task_sees_its_own_visit_before() -> None:
    counts = "{% $exists($tasks.a) ? $tasks.a + 1 : 1 %}"
    ran = run(
        makes("a", counts, ("b", "$tasks.a >= 3"), ("a", None), max_visits=4), makes("b", "{% $tasks.a %}")
    )
    assert (ran.status, ran.output) == ("COMPLETED", 3)


def test_it_sees_its_visit_before_around_a_circle_however_large_it_is() -> None:
    ran = run(
        makes("a", BIG, ("c", None), max_visits=4),
        makes("c", "{% $tasks.c & $tasks.a %}", ("d", "$length($tasks.c) > 500000"), ("a", None)),
        makes("d", "{% $length($tasks.c) %}"),
    )
    assert (ran.status, ran.output) == ("COMPLETED", 600_000)


def test_each_visit_is_undone_with_what_it_brought() -> None:
    undo = {"id": "u", "type": "transform", "output": "{% $tasks.a %}"}
    counts = "{% $exists($tasks.a) ? $tasks.a + 1 : 1 %}"
    ran = run(
        makes("a", counts, ("b", "$tasks.a = 2"), ("a", None), max_visits=3, compensate=undo),
        makes("b", "{% $error('no') %}"),
    )
    undone = {str(task): record.output for task, record in ran.looked.records.items() if task.is_undone}
    assert undone == {"a~undone@step[0]": 1, "a~undone@step[1]": 2}
