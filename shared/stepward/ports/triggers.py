"""Triggers with their schedules, and the events on the account's bus."""

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
    """A webhook's stored secret: a seed for the stage's key; in old items the secret itself.

    After a change the earlier one may stay valid until a time (seconds since 1970).
    """

    model_config = ConfigDict(defer_build=True)

    secret: str
    created_at: str
    before: str | None = None
    before_until: int | None = None


class Unmatched(BaseModel):
    """What arrived for a tenant on one day and matched no trigger."""

    model_config = ConfigDict(defer_build=True)

    objects: int = 0
    events: int = 0
    last_at: str | None = None
    last: str | None = None


def changed_meanwhile(trigger: str) -> Conflict:
    """Return the error for a change that is based on an older state."""
    return Conflict(
        f"the trigger {trigger!r} was changed by another writer at this moment.",
        field="trigger_id",
        fix="read it again, and change it then",
    )


def exists_already(trigger: str) -> Conflict:
    """Return the error for an id that is taken."""
    return Conflict(
        f"there is a trigger {trigger!r} that says something else.",
        field="id",
        fix="use another id, or change that one with PUT /triggers/{id}",
    )


class Triggers(Protocol):
    """The triggers table."""

    def add(self, kept: KeptTrigger, secret: HookSecret | None) -> KeptTrigger:
        """Store a new trigger; an equal one is returned as it was stored.

        Args:
            kept: The trigger.
            secret: The secret of a webhook; None for other kinds.

        Returns:
            The trigger as stored.

        Raises:
            Conflict: One with other fields exists.
        """

    def replace(self, before: KeptTrigger, after: KeptTrigger) -> None:
        """Change a trigger if it is still as it was read.

        Args:
            before: The trigger as it was read.
            after: The trigger as it is to be.

        Raises:
            Conflict: It has changed.
        """

    def remove(self, kept: KeptTrigger) -> None:
        """Remove a trigger with all that belongs to it, if it is unchanged.

        Args:
            kept: The trigger as it was read.

        Raises:
            Conflict: It has changed.
        """

    def trigger(self, tenant: str, trigger: str) -> KeptTrigger | None:
        """Read a trigger, strongly consistent.

        Args:
            tenant: Whose trigger.
            trigger: The trigger's id.

        Returns:
            The trigger; None where there is none.
        """

    def list_triggers(self, tenant: str, *, limit: int, cursor: str | None) -> TriggerPage:
        """List the tenant's triggers by id.

        Args:
            tenant: Whose triggers.
            limit: How many at most.
            cursor: The `cursor` of the page before; None for the first page.

        Returns:
            The page.
        """

    def listening(self, tenant: str, channel: str) -> list[KeptTrigger]:
        """List the triggers of a channel.

        Args:
            tenant: Whose triggers.
            channel: The channel, as `domain.triggers` names it.

        Returns:
            Those that the channel's events may fire.
        """

    def record(self, kept: KeptTrigger, firing: Firing) -> None:
        """Count one firing.

        Args:
            kept: The trigger.
            firing: The firing.
        """

    def state(self, tenant: str, trigger: str) -> TriggerState:
        """Read what a trigger has done so far.

        Args:
            tenant: Whose trigger.
            trigger: The trigger's id.

        Returns:
            The state; an empty one before the first firing.
        """

    def secret(self, tenant: str, trigger: str) -> HookSecret | None:
        """Read a webhook's secret.

        Args:
            tenant: Whose trigger.
            trigger: The trigger's id.

        Returns:
            The secret; None where there is none.
        """

    def put_secret(self, tenant: str, trigger: str, secret: HookSecret) -> None:
        """Replace a webhook's secret.

        Args:
            tenant: Whose trigger.
            trigger: The trigger's id.
            secret: The new secret.
        """

    def count_unmatched(self, tenant: str, *, is_object: bool, at: str, what: str) -> None:
        """Count an arrival that matched no trigger.

        Args:
            tenant: Whose arrival.
            is_object: Whether it was an object; else it was an event.
            at: The time, in UTC.
            what: Its key, or its type and source.
        """

    def unmatched(self, tenant: str, day: str) -> Unmatched:
        """Read what matched no trigger on a day.

        Args:
            tenant: Whose arrivals.
            day: The UTC day, as 2026-11-21.

        Returns:
            The counts.
        """


class Events(Protocol):
    """The event bus; delivery is at least once, and the detail's `id` identifies repeats."""

    def put(self, source: str, type_: str, detail: dict[str, Any]) -> None:
        """Publish one event.

        Args:
            source: The event's source.
            type_: Its type, such as `system.budget.alert`.
            detail: Its detail, with an `id`.
        """


class Schedules(Protocol):
    """The stage's group of schedules."""

    def put(self, kept: KeptTrigger) -> None:
        """Create the trigger's schedule, or update it to the trigger.

        Args:
            kept: The trigger.
        """

    def remove(self, kept: KeptTrigger) -> None:
        """Delete the trigger's schedule; a missing one is no error.

        Args:
            kept: The trigger.
        """
