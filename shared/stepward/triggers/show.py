"""Show triggers, their state and next times, and what one event would start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from stepward.agents.requests import parse
from stepward.agents.show_runs import page_size
from stepward.domain.errors import CallerError, ModelFault, StepwardError
from stepward.domain.schedules import next_times
from stepward.domain.triggers import KeptTrigger, TriggerKind
from stepward.ports.clock import Clock, from_iso, iso
from stepward.ports.triggers import Triggers
from stepward.triggers.arrivals import fits_trigger
from stepward.triggers.define import find_trigger
from stepward.triggers.fire import start_body
from stepward.triggers.starts import Startables


class TestRequest(BaseModel):
    """The body of `POST /triggers/{id}/test`: what templates would see as `$event`."""

    __test__ = False
    model_config = ConfigDict(extra="forbid", defer_build=True)

    event: dict[str, Any]


@dataclass(frozen=True)
class ShowTriggers:
    """The use cases behind GET on triggers, and behind trying one."""

    triggers: Triggers
    clock: Clock

    def list(self, tenant: str, query: dict[str, str]) -> dict[str, Any]:
        """List triggers by id, with today's arrivals that matched none."""
        page = self.triggers.list_triggers(
            tenant, limit=page_size(query.get("limit")), cursor=query.get("cursor")
        )
        day = iso(self.clock.now())[:10]
        return {
            "triggers": [trigger_view(kept) for kept in page.triggers],
            "next_cursor": page.cursor,
            "unmatched_today": self.triggers.unmatched(tenant, day).model_dump(),
        }

    def detail(self, tenant: str, trigger_id: str) -> dict[str, Any]:
        """Show one with its state."""
        kept = find_trigger(self.triggers, tenant, trigger_id)
        state = self.triggers.state(tenant, trigger_id)
        return {**trigger_view(kept), "state": state.model_dump(), **self._ahead(kept)}

    def _ahead(self, kept: KeptTrigger) -> dict[str, Any]:
        schedule = kept.trigger.schedule
        if schedule is None:
            return {}
        now, since = self.clock.now(), from_iso(kept.since)
        times = next_times(schedule.expression, schedule.timezone, since, now) if kept.trigger.enabled else []
        return {"next": [iso(time) for time in times]}


@dataclass(frozen=True)
class TryTrigger:
    """The use case behind `POST /triggers/{id}/test`: everything but the start."""

    triggers: Triggers
    startables: Startables

    def __call__(self, tenant: str, trigger_id: str, body: Any) -> dict[str, Any]:
        """Return whether the event matches and what it would start, with a real event's faults."""
        event = parse(TestRequest, body).event
        kept = find_trigger(self.triggers, tenant, trigger_id)
        answer: dict[str, Any] = {
            "fits": fits_trigger(kept.trigger, event),
            "would_start": None,
            "error": None,
        }
        try:
            answer["would_start"] = self._start_of(kept, event)
        except (CallerError, ModelFault) as error:
            answer["error"] = _reason(error)
        is_on = kept.trigger.enabled and answer["fits"]
        return {**answer, "starts": is_on and answer["error"] is None, "enabled": kept.trigger.enabled}

    def _start_of(self, kept: KeptTrigger, event: dict[str, Any]) -> dict[str, Any]:
        start = start_body(kept.trigger, event)
        found = self.startables.would_start(kept.tenant, kept.trigger, start)
        return {**found, "principal": kept.principal}


def trigger_view(kept: KeptTrigger) -> dict[str, Any]:
    """Show a trigger's fields."""
    shown = {
        **kept.trigger.model_dump(mode="json", exclude_none=True),
        "created_at": kept.created_at,
        "created_by": kept.created_by,
        "changed_at": kept.since,
        "revision": kept.revision,
    }
    if kept.trigger.kind is TriggerKind.WEBHOOK:
        shown["path"] = f"/hooks/{kept.tenant}/{kept.trigger.id}"
    return shown


def _reason(error: StepwardError) -> dict[str, Any]:
    return {"code": error.code, "detail": error.detail, "field": error.field, "fix": error.fix}
