"""Events that come by HTTP: signed webhooks, and events that a caller puts for a trigger.

Only a call signed with a webhook's secret may start its target; others do not even learn whether it exists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from stepward.agents.requests import parse
from stepward.domain.errors import Conflict, InvalidRequest
from stepward.domain.ids import TENANT_PATTERN, check_id
from stepward.domain.json_text import NotJson, NotText, fault_of, read_json, text_of
from stepward.domain.signatures import refused, secret_of, verified_id
from stepward.domain.triggers import (
    HOW_TO_FIRE,
    TRIGGER_ID_PATTERN,
    WORKFLOW_EVENTS,
    EventMatch,
    KeptTrigger,
    TriggerKind,
)
from stepward.ports.clock import Clock
from stepward.ports.triggers import Events, HookSecret, Triggers
from stepward.triggers.arrivals import event_fits
from stepward.triggers.define import find_trigger
from stepward.triggers.fire import Fire, Fired

_NOBODYS: Final = HookSecret(secret="seed_" + "0" * 64, created_at="")


@dataclass(frozen=True)
class ReceiveWebhook:
    """The use case behind `POST /hooks/{tenant}/{trigger_id}`."""

    triggers: Triggers
    fire: Fire
    clock: Clock
    key: Callable[[], bytes]
    """Reads the key from which secrets are derived."""

    def __call__(self, tenant: str, trigger_id: str, headers: Mapping[str, str], body: bytes) -> Fired:
        """Start the trigger's target once per `webhook-id`.

        Errors are raised, so that the sender sees them.
        """
        secret = self._secret(tenant, trigger_id)
        now = self.clock.now()
        kept_ones = _valid(secret or _NOBODYS, now.timestamp())
        valid = [secret_of(one, tenant, trigger_id, self.key) for one in kept_ones]
        # An unknown trigger is checked against a dummy secret, so that answer and duration equal a wrong signature's.
        webhook_id = verified_id(valid, headers, body, now)
        kept = self.triggers.trigger(tenant, trigger_id) if secret else None
        if kept is None or kept.trigger.kind is not TriggerKind.WEBHOOK:
            raise refused("no signature fits")
        fired = self.fire(_enabled(kept), webhook_id, _event(webhook_id, headers, body))
        if fired.error:
            raise fired.error
        return fired

    def _secret(self, tenant: str, trigger_id: str) -> HookSecret | None:
        check_id("tenant", tenant, TENANT_PATTERN)
        check_id("trigger_id", trigger_id, TRIGGER_ID_PATTERN)
        return self.triggers.secret(tenant, trigger_id)


def _valid(secret: HookSecret, now_s: float) -> list[str]:
    before = secret.before if (secret.before_until or 0) > now_s else None
    return [secret.secret, *([before] if before else [])]


def _enabled(kept: KeptTrigger) -> KeptTrigger:
    if not kept.trigger.enabled:
        raise Conflict(
            "this webhook is disabled.", field="trigger_id", fix="enable the trigger with PUT /triggers/{id}"
        )
    return kept


def _event(webhook_id: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    return {"id": webhook_id, "time_s": int(headers["webhook-timestamp"]), "body": _read(body)}


def _read(body: bytes) -> Any:
    """Parse the body as JSON if possible, else as text."""
    try:
        text = text_of(body)
    except NotText as error:
        raise InvalidRequest(f"the body is not text: {error}.", field="body", fix="send UTF-8") from error
    try:
        value = read_json(text)
    except NotJson as error:
        if error.path:
            raise InvalidRequest(
                f"the body cannot be kept: {error}.",
                field=f"body.{error.path}",
                fix=error.fix,
            ) from error
        return text
    fault = fault_of(value)
    if fault:
        raise InvalidRequest(f"the body cannot be kept: {fault}.", field="body", fix="send plain JSON")
    return value


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
