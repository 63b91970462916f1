"""Takes events and scheduled calls from AWS and fires what waits for them; nothing that arrives is lost without a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from stepward.domain.errors import Bug, StepwardError
from stepward.domain.triggers import FireResult, KeptTrigger, TriggerKind
from stepward.ports.clock import Clock, iso
from stepward.ports.triggers import Triggers
from stepward.triggers.arrivals import Arrival, ScheduledCall, Unclaimed, arrival_of
from stepward.triggers.fire import Fire, Fired


@dataclass(frozen=True)
class Received:
    """What came of one event: how many triggers did what, and why nothing happened if nothing did."""

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
    """The use case behind `trigger_events`; `sources` says which tenant an event's source belongs to."""

    triggers: Triggers
    fire: Fire
    clock: Clock
    sources: Mapping[str, str]

    def __call__(self, event: dict[str, Any]) -> Received:
        """Fire every trigger that the event fits; a fault of the platform is raised after the others had their turn."""
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
        """Fire all; those that have started are found again by their key when the event is delivered once more."""
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
