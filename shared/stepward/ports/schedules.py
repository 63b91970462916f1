"""Where the schedules of triggers are made: a service that fires them without any of ours running."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.triggers import KeptTrigger


class Schedules(Protocol):
    """The stage's group of schedules."""

    def put(self, kept: KeptTrigger) -> None:
        """Make the trigger's schedule, or change it to what the trigger says now."""

    def remove(self, kept: KeptTrigger) -> None:
        """Delete the trigger's schedule; one that is not there is no error."""
