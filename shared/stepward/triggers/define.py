"""Create, change and remove triggers; refuse what could only fail when one fires."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from stepward.agents.requests import gathered, joined, parse, refused
from stepward.domain.errors import InvalidRequest, NotFound
from stepward.domain.ids import TENANT_PATTERN, check_id
from stepward.domain.run_origins import Caller
from stepward.domain.runs import AnswerChoice
from stepward.domain.schedules import next_times
from stepward.domain.signatures import new_seed, secret_of
from stepward.domain.triggers import TRIGGER_ID_PATTERN, KeptTrigger, Trigger, TriggerKind
from stepward.ports.clock import Clock, iso
from stepward.ports.triggers import HookSecret, Schedules, Triggers, changed_meanwhile
from stepward.triggers.starts import Startables
from stepward.triggers.templates import check_template

LONGEST_OVERLAP_S: Final = 86_400
_OF_START: Final = frozenset({"agent", "workflow", "version", "input", *AnswerChoice.model_fields})
"""The fields that say what a trigger starts, whatever it waits for."""


class RotateRequest(BaseModel):
    """The body of `POST /triggers/{id}/secret`: how long the old secret stays valid."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    overlap_s: int = Field(default=3_600, strict=True, ge=0, le=LONGEST_OVERLAP_S)


@dataclass(frozen=True)
class Defined:
    """A trigger as stored; the secret is shown once, to its creator."""

    kept: KeptTrigger
    is_new: bool = False
    secret: str | None = None


@dataclass(frozen=True)
class DefineTriggers:
    """The use cases behind POST, PUT and DELETE on triggers."""

    triggers: Triggers
    schedules: Schedules
    startables: Startables
    clock: Clock
    sources: Mapping[str, str]
    webhook_key: Callable[[], bytes]
    """Reads the key from which secrets are derived, and makes it before the first."""

    def add(self, caller: Caller, body: Any) -> Defined:
        """Create a trigger; an equal one is found, and its schedule created if it is missing."""
        trigger = self._checked(caller.tenant, body)
        at = iso(self.clock.now())
        offered = KeptTrigger(
            tenant=caller.tenant, trigger=trigger, created_at=at, created_by=caller.principal, since=at
        )
        hook = HookSecret(secret=new_seed(), created_at=at) if trigger.kind is TriggerKind.WEBHOOK else None
        kept = self.triggers.add(offered, hook)
        is_new = kept is offered
        self._schedule(kept)
        return Defined(kept, is_new, self._secret(kept, hook) if hook and is_new else None)

    def replace(self, caller: Caller, trigger_id: str, body: Any) -> Defined:
        """Replace a trigger's fields, except its id and kind."""
        before = find_trigger(self.triggers, caller.tenant, trigger_id)
        trigger = self._checked(caller.tenant, {"id": trigger_id, **body} if isinstance(body, dict) else body)
        if trigger.id != trigger_id:
            raise _fixed("id", trigger.id, trigger_id)
        if trigger.kind is not before.trigger.kind:
            raise _fixed("kind", trigger.kind, before.trigger.kind)
        if trigger == before.trigger:
            self._schedule(before)
            return Defined(before)
        said = {"trigger": trigger, "since": iso(self.clock.now()), "revision": before.revision + 1}
        after = before.model_copy(update=said)
        self.triggers.replace(before, after)
        self._schedule(after)
        return Defined(after)

    def remove(self, caller: Caller, trigger_id: str) -> None:
        """Delete a trigger; its runs continue."""
        kept = find_trigger(self.triggers, caller.tenant, trigger_id)
        if kept.trigger.schedule:
            # The schedule goes first: a trigger without one can be removed again, a schedule without its trigger cannot.
            self.schedules.remove(kept)
        self.triggers.remove(kept)

    def rotate(self, caller: Caller, trigger_id: str, body: Any) -> str:
        """Give a webhook a new secret; the old one stays valid for the overlap."""
        overlap_s = parse(RotateRequest, body).overlap_s
        kept = find_trigger(self.triggers, caller.tenant, trigger_id)
        before = self.triggers.secret(caller.tenant, trigger_id)
        if kept.trigger.kind is not TriggerKind.WEBHOOK or before is None:
            raise InvalidRequest(
                f"{trigger_id!r} is of kind {kept.trigger.kind} and has no secret.",
                field="trigger_id",
                fix="name a webhook",
            )
        now = self.clock.now()
        new = HookSecret(secret=new_seed(), created_at=iso(now))
        overlap = {"before": before.secret, "before_until": int(now.timestamp()) + overlap_s}
        self.triggers.put_secret(
            caller.tenant, trigger_id, new.model_copy(update=overlap) if overlap_s else new
        )
        return self._secret(kept, new)

    def _secret(self, kept: KeptTrigger, hook: HookSecret) -> str:
        return secret_of(hook.secret, kept.tenant, kept.trigger.id, self.webhook_key)

    def _schedule(self, kept: KeptTrigger) -> None:
        """Bring the schedule to what the trigger says.

        time →   we: put trigger ✓                  put schedule ✓ ─ look again: gone → remove the schedule
                 remove:          remove trigger ✓
        """
        if kept.trigger.schedule is None:
            return
        self.schedules.put(kept)
        now = self.triggers.trigger(kept.tenant, kept.trigger.id)
        if now is None:
            self.schedules.remove(kept)
            raise changed_meanwhile(kept.trigger.id)
        if now.revision != kept.revision:
            self.schedules.put(now)

    def _checked(self, tenant: str, body: Any) -> Trigger:
        try:
            trigger = parse(Trigger, body)
        except InvalidRequest as error:
            raise joined([error, *self._refused_besides(tenant, body)]) from error
        gathered(
            (
                *self._checks_of_start(tenant, trigger),
                lambda: self._check_source(tenant, trigger),
                lambda: _check_time(trigger, self.clock.now()),
            )
        )
        return trigger

    def _checks_of_start(self, tenant: str, trigger: Trigger) -> tuple[Callable[[], None], ...]:
        return (
            lambda: self.startables.check(tenant, trigger),
            lambda: check_template(trigger.input),
        )

    def _refused_besides(self, tenant: str, body: Any) -> list[InvalidRequest]:
        """Return the faults in what a trigger starts, when other fields cannot be read."""
        if not isinstance(body, dict):
            return []
        said = {name: value for name, value in body.items() if name in _OF_START}
        try:
            start = parse(Trigger, {**said, "id": "unnamed", "kind": TriggerKind.WEBHOOK})
        except InvalidRequest:
            return refused((lambda: check_template(body.get("input")),))
        return refused(self._checks_of_start(tenant, start))

    def _check_source(self, tenant: str, trigger: Trigger) -> None:
        if trigger.source is not None and self.sources.get(trigger.source) != tenant:
            mine = sorted(source for source, owner in self.sources.items() if owner == tenant)
            known = f"use one of: {', '.join(mine)}" if mine else "none is given to it yet"
            raise InvalidRequest(
                f"events from {trigger.source!r} are not given to this tenant.",
                field=f"{trigger.kind}.source",
                fix=f"{known}; the operator maps sources to tenants in the stage's `event_sources`",
            )


def find_trigger(triggers: Triggers, tenant: str, trigger_id: str) -> KeptTrigger:
    """Read a trigger; refuse an unknown or another tenant's one."""
    check_id("trigger_id", trigger_id, TRIGGER_ID_PATTERN)
    check_id("tenant", tenant, TENANT_PATTERN)
    kept = triggers.trigger(tenant, trigger_id)
    if kept is None:
        raise NotFound(
            f"there is no trigger {trigger_id!r}.",
            field="trigger_id",
            fix="GET /triggers lists those that exist",
        )
    return kept


def _check_time(trigger: Trigger, now: datetime) -> None:
    wanted = trigger.schedule
    if wanted and trigger.enabled and not next_times(wanted.expression, wanted.timezone, now, now, 1):
        raise InvalidRequest(
            f"{wanted.expression!r} never comes.",
            field="schedule.expression",
            fix="name a time that lies ahead",
        )


def _fixed(field: str, said: str, is_: str) -> InvalidRequest:
    return InvalidRequest(
        f"the trigger's {field} is {str(is_)!r} and cannot become {str(said)!r}.",
        field=field,
        fix="make another trigger for that",
    )
