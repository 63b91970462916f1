"""Events of workflows belong to the tenant of the run that put them, whatever the task says in their detail."""

from __future__ import annotations

from typing import Any

import pytest

from infra.config import load_config
from infra.config_errors import DefinitionError
from stepward.adapters.memory.small_ports import MemoryEvents
from stepward.domain.errors import InvalidRequest
from stepward.domain.runs import RunKey
from stepward.domain.triggers import WORKFLOW_EVENTS, EventMatch
from stepward.domain.workflows import TaskDefinition
from stepward.runtime.config import Settings
from stepward.runtime.container import Container
from stepward.tasks.catalog import find_type, settings_of
from stepward.tasks.event import PLATFORM_FIELDS
from stepward.triggers.arrivals import Arrival, Unclaimed, arrival_of
from tests.support.workflow_world import WorkflowWorld

SOURCES = {WORKFLOW_EVENTS: "rival", "shop": "acme"}
"""Whatever a stage says: the platform's own source is given to nobody."""


def event(**detail: Any) -> dict[str, Any]:
    return {"id": "e-1", "source": WORKFLOW_EVENTS, "detail-type": "order.paid", "detail": detail}


def test_an_event_belongs_to_the_tenant_of_its_run() -> None:
    found = arrival_of(event(id="run_1:tell", tenant="acme", run="run_1", order=7), SOURCES)
    assert isinstance(found, Arrival)
    assert (found.tenant, found.id) == ("acme", "run_1:tell")
    assert found.event["detail"]["order"] == 7


@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"id": "x"},
        {"tenant": "acme"},
        {"id": 1, "tenant": "acme"},
        {"id": "x", "tenant": ["acme"]},
        {"id": "x", "tenant": "../acme"},
        {"id": "x", "tenant": ""},
    ],
)
def test_an_event_that_does_not_say_whose_it_is_starts_nothing(detail: dict[str, Any]) -> None:
    assert isinstance(arrival_of(event(**detail), SOURCES), Unclaimed)
    assert isinstance(arrival_of({**event(), "detail": None}, SOURCES), Unclaimed)


def test_what_an_application_says_of_a_tenant_is_not_believed() -> None:
    shop = {**event(id="x", tenant="rival"), "source": "shop"}
    found = arrival_of(shop, SOURCES)
    assert isinstance(found, Arrival)
    assert (found.tenant, found.id) == ("acme", "e-1")


@pytest.mark.parametrize("name", PLATFORM_FIELDS)
def test_a_task_cannot_say_what_the_platform_says(name: str) -> None:
    tell = {"id": "tell", "type": "event", "event": "order.paid", "with": {name: "rival"}}
    task = TaskDefinition.model_validate(tell)
    (fault,) = find_type("event").faults(task, settings_of(task))
    assert (fault.field, name in fault.detail) == (f"with.{name}", True)
    world = WorkflowWorld()
    ran = world.run([tell])
    assert (ran.status, ran.error("tell"), world.events) == ("FAILED", InvalidRequest.__name__, [])


def test_the_platforms_fields_come_last() -> None:
    container, bus = Container(Settings()), MemoryEvents()
    container.ports.stage_bus = bus
    forged = {"id": "other", "tenant": "rival", "run": "run_9", "order": 7}
    container.workflow_runs.put_event(RunKey(tenant="acme", run="run_1"), "order.paid", "run_1:tell", forged)
    ((_, _, put),) = bus.events
    assert put == {"id": "run_1:tell", "tenant": "acme", "run": "run_1", "order": 7}


@pytest.mark.parametrize("source", ["stepward.workflow", "stepward", "stepward.other", "aws.s3"])
def test_no_stage_gives_the_platforms_source_away(source: str) -> None:
    with pytest.raises(DefinitionError, match="belongs to no tenant"):
        load_config("dev", settings=[f'event_sources = {{ "{source}" = "acme" }}'])


def test_everybody_may_wait_for_events_of_their_workflows() -> None:
    assert EventMatch(source=WORKFLOW_EVENTS).source == WORKFLOW_EVENTS
