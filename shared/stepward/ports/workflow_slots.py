"""Slots of workflows' runs: they are counted, and waited for in the run queue, together with those of agents' runs."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.line import InLine
from stepward.domain.runs import RunKey
from stepward.domain.standing import Standing
from stepward.ports.runtime_state import Freed, NoSlot, SlotLimits


class WorkflowSlots(Protocol):
    """Every change is one transaction with the counters, and raises `StoreConflict` where somebody else was first."""

    def standing(self, key: RunKey) -> Standing | None:
        """Read how a run stands, strongly consistent; None for runs that began before slots were counted."""

    def change(
        self, key: RunKey, before: Standing, after: Standing, limits: SlotLimits, *, past_limit: bool = True
    ) -> Freed:
        """Write how a run stands, taking a slot or giving it back as that asks for; say who waits for a freed one.

        A run that goes on takes its slot back even where the tenant has none left: its machine cannot wait for one.
        Such a slot is counted for the tenant alone, so that it keeps nobody else's runs waiting. Without `past_limit`
        nothing is changed then, and `done` is False.
        """

    def admit(
        self, waiting: InLine, before: Standing, limits: SlotLimits, deadline_at: str
    ) -> Standing | NoSlot:
        """Give a run in the queue a slot, if one is free; its time begins to count then."""
