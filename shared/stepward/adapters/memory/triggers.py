"""Triggers and schedules in dictionaries, with the same conditions as the table and the service."""

from __future__ import annotations

from collections import defaultdict
from threading import RLock

from stepward.domain.errors import InvalidRequest
from stepward.domain.triggers import FireResult, Firing, KeptTrigger, TriggerState
from stepward.ports.triggers import HookSecret, TriggerPage, Unmatched, changed_meanwhile, exists_already

Name = tuple[str, str]


class MemoryTriggers:
    """Keeps triggers of every tenant."""

    def __init__(self) -> None:
        self._kept: dict[Name, KeptTrigger] = {}
        self._states: dict[Name, TriggerState] = {}
        self._secrets: dict[Name, HookSecret] = {}
        self._unmatched: dict[Name, Unmatched] = defaultdict(Unmatched)
        self._lock = RLock()

    def add(self, kept: KeptTrigger, secret: HookSecret | None) -> KeptTrigger:
        """Keep a new trigger once."""
        name = _name(kept)
        with self._lock:
            before = self._kept.setdefault(name, kept)
            if before.trigger != kept.trigger:
                raise exists_already(kept.trigger.id)
            if before is kept:
                self._states[name] = TriggerState()
                if secret:
                    self._secrets[name] = secret
            return before

    def replace(self, before: KeptTrigger, after: KeptTrigger) -> None:
        """Replace a trigger over the revision that was read."""
        with self._lock:
            self._check(before)
            self._kept[_name(after)] = after

    def remove(self, kept: KeptTrigger) -> None:
        """Remove a trigger over the revision that was read."""
        with self._lock:
            self._check(kept)
            for entries in (self._kept, self._states, self._secrets):
                entries.pop(_name(kept), None)

    def trigger(self, tenant: str, trigger: str) -> KeptTrigger | None:
        """Read one trigger."""
        return self._kept.get((tenant, trigger))

    def list_triggers(self, tenant: str, *, limit: int, cursor: str | None) -> TriggerPage:
        """List triggers by id; the cursor is the last id that was shown."""
        ids = sorted(name for owner, name in self._kept if owner == tenant and name > (cursor or ""))
        shown = [self._kept[(tenant, name)] for name in ids[:limit]]
        return TriggerPage(triggers=shown, cursor=ids[limit - 1] if len(ids) > limit else None)

    def listening(self, tenant: str, channel: str) -> list[KeptTrigger]:
        """List the triggers on a channel, by id."""
        found = [
            kept for kept in self._kept.values() if kept.tenant == tenant and kept.trigger.channel == channel
        ]
        return sorted(found, key=lambda kept: kept.trigger.id)

    def record(self, kept: KeptTrigger, firing: Firing) -> None:
        """Count one firing; that of a removed trigger is not counted."""
        with self._lock:
            state = self._states.get(_name(kept))
            if state is None:
                return
            said = {"last_fired_at": firing.at, "last_event": firing.event}
            counted = {firing.result.value: getattr(state, firing.result) + 1}
            new_run = {"last_run": firing.run} if firing.result is FireResult.STARTED else {}
            error = {"last_error": firing.error} if firing.error else {}
            self._states[_name(kept)] = state.model_copy(update={**said, **counted, **new_run, **error})

    def state(self, tenant: str, trigger: str) -> TriggerState:
        """Read what a trigger has done."""
        return self._states.get((tenant, trigger), TriggerState())

    def secret(self, tenant: str, trigger: str) -> HookSecret | None:
        """Read a secret."""
        return self._secrets.get((tenant, trigger))

    def put_secret(self, tenant: str, trigger: str, secret: HookSecret) -> None:
        """Replace a secret that exists."""
        with self._lock:
            if (tenant, trigger) not in self._secrets:
                raise changed_meanwhile(trigger)
            self._secrets[(tenant, trigger)] = secret

    def count_unmatched(self, tenant: str, *, is_object: bool, at: str, what: str) -> None:
        """Count what matched no trigger, by day."""
        with self._lock:
            before = self._unmatched[(tenant, at[:10])]
            name = "objects" if is_object else "events"
            counted = {name: getattr(before, name) + 1, "last_at": at, "last": what}
            self._unmatched[(tenant, at[:10])] = before.model_copy(update=counted)

    def unmatched(self, tenant: str, day: str) -> Unmatched:
        """Read what matched no trigger on a day."""
        return self._unmatched.get((tenant, day), Unmatched())

    def _check(self, before: KeptTrigger) -> None:
        now = self._kept.get(_name(before))
        if now is None or now.revision != before.revision:
            raise changed_meanwhile(before.trigger.id)


class MemorySchedules:
    """Keeps schedules."""

    def __init__(self) -> None:
        self.made: dict[Name, KeptTrigger] = {}

    def put(self, kept: KeptTrigger) -> None:
        """Create or update a schedule."""
        if kept.trigger.schedule is None:
            raise InvalidRequest("the trigger has no schedule.", field="schedule", fix="add one")
        self.made[_name(kept)] = kept

    def remove(self, kept: KeptTrigger) -> None:
        """Delete a schedule."""
        self.made.pop(_name(kept), None)


def _name(kept: KeptTrigger) -> Name:
    return kept.tenant, kept.trigger.id
