"""Which version a start takes, and what it asks of the input."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.errors import Conflict, InvalidRequest
from stepward.ports.workflow_registry import VersionStatus
from tests.support.workflow_world import ACME, WorkflowWorld

TASKS = [{"id": "a", "type": "transform", "output": "{% $run.version %}"}]
OPEN: dict[str, Any] = {
    "type": "object",
    "required": ["ticket"],
    "properties": {"ticket": {"type": "string"}},
}


def test_an_input_may_have_more_than_its_schema_speaks_of() -> None:
    world = WorkflowWorld()
    assert world.run(TASKS, {"ticket": "T-1", "more": 1}, input=OPEN).status == "COMPLETED"
    assert world.finish(world.start({"ticket": "T-2"})).status == "COMPLETED"


@pytest.mark.parametrize("given", [{}, {"ticket": 1}, "T-1"])
def test_an_input_that_does_not_fit_starts_nothing(given: Any) -> None:
    world = WorkflowWorld()
    world.register(TASKS, input=OPEN)
    with pytest.raises(InvalidRequest) as refused:
        world.start(given)
    assert (refused.value.field, len(refused.value.errors)) == ("input", 1)
    assert world.engine.executions == {}


def test_a_closed_schema_stays_closed() -> None:
    world = WorkflowWorld()
    world.register(TASKS, input={**OPEN, "additionalProperties": False})
    with pytest.raises(InvalidRequest):
        world.start({"ticket": "T-1", "more": 1})


def test_a_refused_version_does_not_stand_in_the_way_of_the_one_before() -> None:
    world = WorkflowWorld()
    world.register(TASKS)
    world.register(TASKS, version="1.1.0")
    world.registry.mark(ACME.tenant, "flow", "1.1.0", VersionStatus.REFUSED, "no machine")
    assert world.finish(world.start()).output == "1.0.0"
    world.registry.mark(ACME.tenant, "flow", "1.0.0", VersionStatus.REFUSED, "no machine")
    with pytest.raises(Conflict, match="REFUSED"):
        world.start()
