"""Counted budgets: what remains of each, and the few changes that are not a run's own draws and returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from stepward.domain.budgets import BudgetRef, BudgetState


class Budgets(Protocol):
    """The budgets' items. Draws and returns belong to the transactions of runs; here is the rest."""

    def states(self, tenant: str, refs: Iterable[BudgetRef]) -> dict[BudgetRef, BudgetState]:
        """Read budgets, strongly consistent; a period that nothing has happened in yet is not there."""

    def move_limit(self, tenant: str, ref: BudgetRef, limit_usd_micros: int) -> None:
        """Give a budget another limit, and what remains the same difference, at once; a new one begins full."""

    def refused(self, tenant: str, item_key: str, at: str) -> None:
        """Note that a draw was refused for lack of money; only the first one since the last change is kept."""

    def touched(self, limit: int) -> list[BudgetState]:
        """Name budgets of all tenants that were drawn from since they were last looked at."""

    def alerted(self, state: BudgetState, percent: int, at: str) -> bool:
        """Note that an alert is given; False when somebody else gave it."""

    def looked_at(self, state: BudgetState) -> None:
        """Forget that a budget was touched, unless it was touched again since `state` was read."""
