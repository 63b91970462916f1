"""What those who look after agents' runs do about workflows': end those that calls wait for, admit those in the queue."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.line import InLine
from stepward.ports.runtime_state import NoSlot, SlotLimits


class ChildWorkflows(Protocol):
    """Runs of workflows by their names; a name that is none of them is left alone."""

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """End the run, and all that it has set going, if it has not ended."""

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Let no further task of the run begin; the janitor ends what it waits for."""

    def admit(self, waiting: InLine, limits: SlotLimits) -> bool | NoSlot:
        """Give a run that stands in the run queue a slot and begin it; False if it does not stand there any more."""


class NoWorkflows:
    """Where no workflow runs: no call waits for one."""

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """Leave the name alone."""

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Leave the name alone."""

    def admit(self, waiting: InLine, limits: SlotLimits) -> bool | NoSlot:
        """Say that nobody stands there."""
        del waiting, limits
        return False
