"""Triggers with their schedules, and the events that the account's bus carries."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.errors import Conflict
from stepward.domain.triggers import Firing, KeptTrigger, TriggerState


class TriggerPage(BaseModel):
    """One page of triggers by id; `cursor` is None on the last one."""

    model_config = ConfigDict(defer_build=True)

    triggers: list[KeptTrigger]
    cursor: str | None = None


class HookSecret(BaseModel):
    """A webhook's secret as it is kept: a seed for the stage's key; in old items the secret.

    After a change the one before may stay valid until a time (seconds since 1970).
    """

    model_config = ConfigDict(defer_build=True)

    secret: str
    created_at: str
    before: str | None = None
    before_until: int | None = None


class Unmatched(BaseModel):
    """What arrived for a tenant on one day and fitted no trigger."""

    model_config = ConfigDict(defer_build=True)

    objects: int = 0
    events: int = 0
    last_at: str | None = None
    last: str | None = None


def changed_meanwhile(trigger: str) -> Conflict:
    """The error for a change that is based on an older state, the same from every store."""
    return Conflict(
        f"the trigger {trigger!r} was changed by another writer at this moment.",
        field="trigger_id",
        fix="read it again, and change it then",
    )


def exists_already(trigger: str) -> Conflict:
    """The error for an id that is taken, the same from every store."""
    return Conflict(
        f"there is a trigger {trigger!r} that says something else.",
        field="id",
        fix="use another id, or change that one with PUT /triggers/{id}",
    )


class Triggers(Protocol):
    """The triggers table."""

    def add(self, kept: KeptTrigger, secret: HookSecret | None) -> KeptTrigger:
        """Keep a new trigger; an equal one is returned as it was kept.

        Raises:
            Conflict: One with other fields is there.
        """

    def replace(self, before: KeptTrigger, after: KeptTrigger) -> None:
        """Change a trigger if it is still as it was read; raises `Conflict` if not."""

    def remove(self, kept: KeptTrigger) -> None:
        """Remove a trigger with all that belongs to it, if it is unchanged.

        Raises:
            Conflict: It has changed.
        """

    def trigger(self, tenant: str, trigger: str) -> KeptTrigger | None:
        """Read one, strongly consistent."""

    def list_triggers(self, tenant: str, *, limit: int, cursor: str | None) -> TriggerPage:
        """List the tenant's triggers by id."""

    def listening(self, tenant: str, channel: str) -> list[KeptTrigger]:
        """List those that a channel's events may fire."""

    def record(self, kept: KeptTrigger, firing: Firing) -> None:
        """Count one firing."""

    def state(self, tenant: str, trigger: str) -> TriggerState:
        """Say what a trigger has done so far."""

    def secret(self, tenant: str, trigger: str) -> HookSecret | None:
        """Read a webhook's secret."""

    def put_secret(self, tenant: str, trigger: str, secret: HookSecret) -> None:
        """Replace a webhook's secret."""

    def count_unmatched(self, tenant: str, *, is_object: bool, at: str, what: str) -> None:
        """Count something that arrived and fitted no trigger."""

    def unmatched(self, tenant: str, day: str) -> Unmatched:
        """Say what fitted no trigger on a day."""


class Events(Protocol):
    """Where facts are told; delivery is at least once, and the detail's `id` tells repeats."""

    def put(self, source: str, type_: str, detail: dict[str, Any]) -> None:
        """Tell one fact, such as `system.budget.alert`."""


class Schedules(Protocol):
    """The stage's group of schedules."""

    def put(self, kept: KeptTrigger) -> None:
        """Make the trigger's schedule, or change it to what the trigger says now."""

    def remove(self, kept: KeptTrigger) -> None:
        """Delete the trigger's schedule; one that is not there is no error."""
