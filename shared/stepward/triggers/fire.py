"""Fire triggers: take events and scheduled calls, and start what they name once per event."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from stepward.domain.errors import (
    Bug,
    CallerError,
    Conflict,
    InvalidRequest,
    ModelFault,
    NotFound,
    PolicyStop,
    StepwardError,
)
from stepward.domain.json_text import read_json, text_of
from stepward.domain.triggers import FireError, FireResult, Firing, KeptTrigger, Trigger, TriggerKind
from stepward.ports.clock import Clock, iso
from stepward.ports.runs import key_used_before
from stepward.ports.tool_services import Datasets
from stepward.ports.triggers import Triggers
from stepward.triggers.arrivals import Arrival, ScheduledCall, Unclaimed, arrival_of
from stepward.triggers.starts import Started, Starters
from stepward.triggers.templates import filled

CONTENT_LIMIT_BYTES = 256_000
OUR_RULES_SAY_NO = (CallerError, PolicyStop, ModelFault)
"""Errors that no retry fixes: the trigger or the agent must change. All others are the platform's."""


@dataclass(frozen=True)
class Fired:
    """The outcome of a firing: a new or an earlier run, or the reason why there is none."""

    firing: Firing
    run: Started | None = None
    error: StepwardError | None = None

    @property
    def is_new(self) -> bool:
        """Whether the firing started a run, rather than found an earlier one."""
        return self.firing.result is FireResult.STARTED


@dataclass(frozen=True)
class Fire:
    """The only way from an event to a run, by whatever channel the event came."""

    triggers: Triggers
    start: Starters
    clock: Clock
    datasets: Datasets | None = None

    def __call__(self, kept: KeptTrigger, event_id: str, event: dict[str, Any]) -> Fired:
        """Start what the trigger names unless this event has; platform faults are raised.

        They are not counted, so that the event is delivered again.
        """
        try:
            head, is_new = self._started(kept, event_id, event)
        except OUR_RULES_SAY_NO as error:
            if _is_used_key(error):
                return self._count(kept, event_id, FireResult.DUPLICATE)
            return self._count(kept, event_id, FireResult.FAILED, error=error)
        result = FireResult.STARTED if is_new else FireResult.DUPLICATE
        return self._count(kept, event_id, result, run=head)

    def _started(self, kept: KeptTrigger, event_id: str, event: dict[str, Any]) -> tuple[Started, bool]:
        body = start_body(kept.trigger, self._with_content(kept, event))
        return self.start(kept, body, idempotency_key(kept, event_id))

    def _with_content(self, kept: KeptTrigger, event: dict[str, Any]) -> dict[str, Any]:
        """Add the object's content to the event, as it is now."""
        if kept.trigger.s3 is None or self.datasets is None:
            return event
        kind = kept.trigger.s3.content
        if kind is None:
            self._must_be_there(kept.tenant, event["key"], self.datasets)
            return event
        if (event.get("size_bytes") or 0) > CONTENT_LIMIT_BYTES:
            raise InvalidRequest(
                f"{event['key']!r} has {event['size_bytes']} bytes, too many to read into the input.",
                field="s3.content",
                fix=f"keep objects under {CONTENT_LIMIT_BYTES} bytes, or leave `content` out and pass the key",
            )
        found = self.datasets.read(kept.tenant, event["key"])
        return {**event, "content": parsed_content(found.body if found else b"", kind)}

    @staticmethod
    def _must_be_there(tenant: str, key: str, datasets: Datasets) -> None:
        """Refuse an object that is gone when its event comes: the run could only fail."""
        if not datasets.is_there(tenant, key):
            raise NotFound(f"the object {key!r} is not there any more.", field="s3", fix="put it again")

    def _count(
        self,
        kept: KeptTrigger,
        event_id: str,
        result: FireResult,
        *,
        run: Started | None = None,
        error: StepwardError | None = None,
    ) -> Fired:
        at = iso(self.clock.now())
        reason = FireError(code=error.code, detail=error.detail[:1_000], at=at) if error else None
        firing = Firing(at=at, event=event_id, result=result, run=run.run if run else None, error=reason)
        self.triggers.record(kept, firing)
        return Fired(firing, run, error)


def start_body(trigger: Trigger, event: dict[str, Any]) -> dict[str, Any]:
    """Build the start request that a trigger makes of an event."""
    given = trigger.model_dump(include={"version", "priority", "rehearse", "charge"}, exclude_none=True)
    return {"input": filled(trigger.input, event), **given}


def idempotency_key(kept: KeptTrigger, event_id: str) -> str:
    """Return the event's key for its trigger, so that it starts one run despite redelivery."""
    said = json.dumps([kept.trigger.id, event_id])
    return hashlib.sha256(said.encode()).hexdigest()


def parsed_content(body: bytes, kind: str) -> Any:
    """Parse an object as the trigger declares it."""
    try:
        return read_json(body) if kind == "json" else text_of(body)
    except ValueError as error:
        raise InvalidRequest(
            f"the object is not {'JSON' if kind == 'json' else 'UTF-8 text'}: {error}",
            field="s3.content",
            fix="fix the object, or change the trigger's `content`",
        ) from error


def _is_used_key(error: StepwardError) -> bool:
    """Return True for an event that came before, when the trigger or the object was different."""
    return isinstance(error, Conflict) and error.field == key_used_before().field


@dataclass(frozen=True)
class Received:
    """The outcome of one event: counts of firings, and the reason if there were none."""

    tenant: str | None
    what: str
    started: int = 0
    duplicate: int = 0
    failed: int = 0
    unmatched: str | None = None

    @classmethod
    def of(cls, tenant: str, what: str, fired: list[Fired]) -> Received:
        """Count the firings."""
        results = [one.firing.result for one in fired]
        return cls(
            tenant,
            what,
            started=results.count(FireResult.STARTED),
            duplicate=results.count(FireResult.DUPLICATE),
            failed=results.count(FireResult.FAILED),
        )


@dataclass(frozen=True)
class Receive:
    """The use case behind `trigger_events`; `sources` maps an event's source to its tenant."""

    triggers: Triggers
    fire: Fire
    clock: Clock
    sources: Mapping[str, str]

    def __call__(self, event: dict[str, Any]) -> Received:
        """Fire every trigger that the event matches; platform faults are raised at the end."""
        if "scheduled_at" in event:
            return self._scheduled(event)
        arrival = arrival_of(event, self.sources)
        if isinstance(arrival, Unclaimed):
            return Received(None, arrival.what, unmatched=arrival.why)
        waiting = self._waiting_for(arrival)
        if not waiting:
            self._count_unmatched(arrival)
            return Received(arrival.tenant, arrival.what, unmatched="no enabled trigger waits for it")
        return Received.of(arrival.tenant, arrival.what, self._fire_all(waiting, arrival))

    def _waiting_for(self, arrival: Arrival) -> list[KeptTrigger]:
        listening = [
            kept for channel in arrival.channels for kept in self.triggers.listening(arrival.tenant, channel)
        ]
        return [kept for kept in listening if kept.trigger.enabled and arrival.fits(kept.trigger)]

    def _count_unmatched(self, arrival: Arrival) -> None:
        at, is_object = iso(self.clock.now()), arrival.kind is TriggerKind.S3
        self.triggers.count_unmatched(arrival.tenant, is_object=is_object, at=at, what=arrival.what)

    def _fire_all(self, waiting: list[KeptTrigger], arrival: Arrival) -> list[Fired]:
        """Fire all; on redelivery those that have started are found by their key."""
        fired: list[Fired] = []
        faults: list[StepwardError] = []
        for kept in waiting:
            try:
                fired.append(self.fire(kept, arrival.id, arrival.event))
            except StepwardError as error:
                faults.append(error)
        if faults:
            raise faults[0]
        return fired

    def _scheduled(self, event: dict[str, Any]) -> Received:
        try:
            call = ScheduledCall.model_validate(event)
        except ValidationError as error:
            raise Bug(f"the schedule's input does not fit: {error}") from error
        what = f"{call.trigger} at {call.scheduled_at}"
        kept = self.triggers.trigger(call.tenant, call.trigger)
        if kept is None or kept.trigger.schedule is None:
            return Received(call.tenant, what, unmatched="its trigger is gone")
        if not kept.trigger.enabled:
            return Received(call.tenant, what, unmatched="its trigger is disabled")
        return Received.of(call.tenant, what, [self.fire(kept, call.scheduled_at, call.event)])
