"""How long a wait is: in the document, or by an expression when its turn has come; never longer than a run can live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stepward.sdk import Flow
from stepward.workflows.checks import examine
from stepward.workflows.compiler.compile import compile_workflow
from stepward.workflows.planner.plan import plan
from tests.support.workflow_texts import found, told
from tests.support.workflow_world import Ran, WorkflowWorld


def waited(given: Any, timeout_s: int = 86_400, **said: Any) -> tuple[Ran, float]:
    world = WorkflowWorld()  # its clock begins at 2026-01-01T00:00:00Z
    ran = world.run([{"id": "rest", "type": "wait", **said}], given, timeout_s=timeout_s)
    return ran, world.loop.now_s


@pytest.mark.parametrize(
    ("said", "given", "seconds"),
    [
        ({"until": "{% $input %}"}, "2026-01-01T00:05:00Z", 300),
        ({"until": "{% $input %}"}, "2026-01-01T01:05:00+01:00", 300),
        ({"until": "{% $input %}"}, "2025-01-01T00:00:00Z", 0),
        ({"until": "{% $fromMillis($toMillis($run.started_at) + 1500) %}"}, None, 2),
        ({"seconds": "{% $input * 60 %}"}, 2, 120),
        ({"seconds": "{% $input / 2 %}"}, 8, 4),
        ({"seconds": "{% $input %}"}, 0, 0),
    ],
)
def test_an_expression_says_how_long(said: dict[str, Any], given: Any, seconds: int) -> None:
    ran, now_s = waited(given, **said)
    assert (ran.status, now_s) == ("COMPLETED", seconds)


@pytest.mark.parametrize(
    "given", ["soon", None, [], "2026-01-01T00:05:00", "9999-12-31T23:59:59Z", True, "{% 1 %}"]
)
def test_what_is_no_time_fails_the_task(given: Any) -> None:
    ran, now_s = waited(given, until="{% $input %}")
    assert (ran.status, ran.error("rest"), now_s) == ("FAILED", "OutputMalformed", 0)


@pytest.mark.parametrize("given", ["5", -1, 0.5, None, 31_622_401, {"s": 1}, True, "{% 1 %}"])
def test_what_is_no_number_of_seconds_fails_the_task(given: Any) -> None:
    ran, now_s = waited(given, seconds="{% $input %}")
    assert (ran.status, ran.error("rest"), now_s) == ("FAILED", "OutputMalformed", 0)


@pytest.mark.parametrize("said", [{"seconds": "{% 100 %}"}, {"until": "2026-01-01T00:01:40Z"}])
def test_a_wait_that_the_run_does_not_live_to_see_fails_at_once(said: dict[str, Any]) -> None:
    ran, now_s = waited(None, timeout_s=100, **said)
    assert (ran.status, ran.error("rest"), now_s) == ("FAILED", "DeadlineExceeded", 0)
    assert ran.head.error is not None
    assert "give the workflow more `timeout_s`" in ran.head.error.detail


def test_a_time_that_is_too_far_or_nothing_is_refused() -> None:
    far = (datetime.now(UTC) + timedelta(days=370)).strftime("%Y-%m-%dT%H:%M:%SZ")
    near = (datetime.now(UTC) + timedelta(days=300)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told(f"tasks: [{{id: a, until: {far}}}]") == [("wrong-setting", "a", "until")]
    assert told("tasks: [{id: a, until: 9999-12-31T23:59:59Z}]") == [("wrong-setting", "a", "until")]
    assert found(f"tasks: [{{id: a, until: {near}}}]") == []
    assert told("tasks: [{id: a, seconds: 0}]") == [("wrong-setting", "a", "seconds")]


def test_an_expression_is_planned_and_speaks_of_what_is_there() -> None:
    text = "{id: a, until: '{% $input.at %}'}, {id: b, type: wait, seconds: '{% $tasks.c %}'}"
    assert told(f"tasks: [{text}]") == [("missing-task", "b", "seconds")]
    flow = Flow("waits", version="1.0.0")
    flow.wait("a", until=flow.input.at)
    flow.wait("b", seconds="{% $input.s %}")
    definition, problems = examine(flow.document())
    assert problems == []
    assert definition is not None
    assert plan(definition, compile_workflow(definition)).states.most > 0
