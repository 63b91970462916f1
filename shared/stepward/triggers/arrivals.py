"""Normalize what arrives from outside: its tenant, its channel, and its event id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from stepward.domain.errors import Bug
from stepward.domain.ids import TENANT_PATTERN
from stepward.domain.patterns import fits
from stepward.domain.triggers import WORKFLOW_EVENTS, Trigger, TriggerKind, event_channel, object_channel

_KEY: Final = re.compile(r"tenants/([^/]+)/(.+)", re.DOTALL)


@dataclass(frozen=True)
class Arrival:
    """One event of one tenant; templates see `event`.

    `id` is the same however often the event is delivered.
    """

    tenant: str
    id: str
    event: dict[str, Any]
    channels: tuple[str, ...] = ()
    what: str = ""
    kind: TriggerKind = TriggerKind.EVENT

    def fits(self, trigger: Trigger) -> bool:
        """Return True if a trigger waits for this arrival."""
        return trigger.kind is self.kind and fits_trigger(trigger, self.event)


class ScheduledCall(BaseModel):
    """What EventBridge Scheduler sends: the input that the schedule was made with."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    v: int
    tenant: str
    trigger: str
    scheduled_at: str

    @property
    def event(self) -> dict[str, Any]:
        """What templates see."""
        return {"id": self.scheduled_at, "time": self.scheduled_at, "trigger": self.trigger}


@dataclass(frozen=True)
class Unclaimed:
    """An event that belongs to no tenant, and why."""

    what: str
    why: str


def arrival_of(event: Mapping[str, Any], sources: Mapping[str, str]) -> Arrival | Unclaimed:
    """Read an EventBridge event; its tenant is that of the object's folder, run, or source.

    Nothing that callers put into an event's detail decides whose it is: any of them could then start other
    tenants' agents. Only the platform puts events of workflows, with the run's tenant in them.
    """
    if "source" not in event or "detail-type" not in event:
        raise Bug(f"this is not an event: {sorted(event)}")
    if event["source"] == "aws.s3":
        return object_arrival(event)
    source = str(event["source"])
    if source == WORKFLOW_EVENTS:
        return _of_workflow(event)
    if source not in sources:
        return Unclaimed(source, "its source is given to no tenant in the stage's `event_sources`")
    return _arrival(event, sources[source], str(event["id"]))


def _of_workflow(event: Mapping[str, Any]) -> Arrival | Unclaimed:
    """Read an event that a workflow's task has put; a retried task puts it with the same id."""
    detail = event.get("detail")
    said = detail if isinstance(detail, dict) else {}
    tenant, event_id = said.get("tenant"), said.get("id")
    if (
        not isinstance(tenant, str)
        or not re.fullmatch(TENANT_PATTERN, tenant)
        or not isinstance(event_id, str)
    ):
        return Unclaimed(WORKFLOW_EVENTS, "it does not say whose it is, so the platform has not put it")
    return _arrival(event, tenant, event_id)


def _arrival(event: Mapping[str, Any], tenant: str, event_id: str) -> Arrival:
    seen = {name: value for name, value in event.items() if name not in ("account", "region", "version")}
    source = str(event["source"])
    what = f"{event['detail-type']} from {source}"
    return Arrival(tenant, event_id, seen, (event_channel(source),), what)


def object_arrival(event: Mapping[str, Any]) -> Arrival | Unclaimed:
    """Read S3's event of a new object under `tenants/<tenant>/`.

    The sequencer orders the changes of one key, so with key and version it names the change, not the delivery.
    """
    thing = event["detail"]["object"]
    found = _KEY.fullmatch(str(thing["key"]))
    if found is None or not re.fullmatch(TENANT_PATTERN, found[1]):
        return Unclaimed(str(thing["key"]), "it lies in no tenant's part of the bucket")
    tenant, key = found[1], found[2]
    version = thing.get("version-id")
    seen = {
        "id": f"{key}#{version or ''}#{thing.get('sequencer', '')}",
        "time": event.get("time"),
        "key": key,
        "name": key.rpartition("/")[2],
        "size_bytes": thing.get("size"),
        "etag": thing.get("etag"),
        "version": version,
    }
    channels = tuple(dict.fromkeys((object_channel(key), object_channel(""))))
    return Arrival(tenant, seen["id"], seen, channels, key, TriggerKind.S3)


def fits_trigger(trigger: Trigger, event: Mapping[str, Any]) -> bool:
    """Return True if an event, as templates see it, is what a trigger of its kind waits for."""
    match trigger.kind:
        case TriggerKind.S3:
            return object_fits(trigger, event)
        case TriggerKind.EVENT:
            return event_fits(trigger, event)
        case _:
            return True


def object_fits(trigger: Trigger, event: Mapping[str, Any]) -> bool:
    """Compare an object's key with a trigger's prefix and suffix."""
    key, wanted = str(event.get("key", "")), trigger.s3
    return wanted is not None and key.startswith(wanted.prefix) and key.endswith(wanted.suffix)


def event_fits(trigger: Trigger, event: Mapping[str, Any]) -> bool:
    """Compare an event with a trigger's source, types and detail."""
    wanted = trigger.event
    if wanted is None or event.get("source") != wanted.source:
        return False
    is_type = not wanted.detail_type or event.get("detail-type") in wanted.detail_type
    return is_type and fits(wanted.detail, event.get("detail"))
