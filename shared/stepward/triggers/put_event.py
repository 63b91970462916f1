"""Put an event on the stage's bus for one's own trigger, as an application would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from stepward.agents.requests import parse
from stepward.domain.errors import InvalidRequest
from stepward.domain.triggers import HOW_TO_FIRE, WORKFLOW_EVENTS, EventMatch, TriggerKind
from stepward.ports.triggers import Events, Triggers
from stepward.triggers.arrivals import event_fits
from stepward.triggers.define import find_trigger


class GivenEvent(BaseModel):
    """An event as EventBridge shows it; what the trigger determines may be left out."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)

    source: str | None = None
    detail_type: str | None = Field(default=None, alias="detail-type", min_length=1, max_length=128)
    detail: dict[str, Any]


class FireRequest(BaseModel):
    """The body of `POST /triggers/{id}/fire`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    event: GivenEvent


@dataclass(frozen=True)
class PutTriggerEvent:
    """The use case behind `POST /triggers/{id}/fire`."""

    triggers: Triggers
    bus: Events
    sources: Mapping[str, str]

    def __call__(self, tenant: str, trigger_id: str, body: Any) -> dict[str, Any]:
        """Put an event that matches the trigger; all other triggers that it matches fire too.

        Args:
            tenant: Whose trigger it is.
            trigger_id: A trigger of kind event.
            body: `{"event": {"detail-type"?: …, "detail": {…}}}`; the source is the trigger's.

        Returns:
            The event as it was put. What it starts is seen in the trigger's `state`.

        Raises:
            InvalidRequest: The trigger is of another kind, or the event does not fit it.
        """
        given = parse(FireRequest, body).event
        kept = find_trigger(self.triggers, tenant, trigger_id)
        wanted = kept.trigger.event
        if wanted is None:
            raise _of_another_kind(trigger_id, kept.trigger.kind)
        if not kept.trigger.enabled:
            raise InvalidRequest(
                f"{trigger_id!r} is disabled.", field="trigger_id", fix="set `enabled: true` and replace it"
            )
        source, type_ = given.source or wanted.source, given.detail_type or _only_type(wanted)
        event = {"source": source, "detail-type": type_, "detail": given.detail}
        if not event_fits(kept.trigger, event):
            raise InvalidRequest(
                f"the event does not fit {trigger_id!r}, so it would not fire.",
                field="event",
                fix="compare it with the trigger's `event`: source, detail_type and detail",
            )
        if wanted.source == WORKFLOW_EVENTS:
            raise InvalidRequest(
                f"events from {WORKFLOW_EVENTS!r} are put by workflows only.",
                field="event.source",
                fix="run a workflow with a task of type `event`; `stepward triggers try` shows what an event would start",
            )
        if self.sources.get(wanted.source) != tenant:
            raise InvalidRequest(
                f"events from {wanted.source!r} are not given to this tenant any more.",
                field="event.source",
                fix="the operator maps sources to tenants in the stage's `event_sources`",
            )
        self.bus.put(source, type_, given.detail)
        return {"trigger": trigger_id, "event": event}


def _only_type(wanted: EventMatch) -> str:
    if len(wanted.detail_type) == 1:
        return wanted.detail_type[0]
    one_of = f"one of {', '.join(wanted.detail_type)}" if wanted.detail_type else "the event's type"
    raise InvalidRequest(
        "the event says no detail-type, and the trigger does not name a single one.",
        field="event.detail-type",
        fix=f"write {one_of}",
    )


def _of_another_kind(trigger_id: str, kind: TriggerKind) -> InvalidRequest:
    return InvalidRequest(
        f"{trigger_id!r} is of kind {kind}; only an event can be put.",
        field="trigger_id",
        fix=HOW_TO_FIRE[kind],
    )
