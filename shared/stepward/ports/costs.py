"""Money and limits: budgets, the book of costs, agreed prices, and how many runs may be active."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from stepward.domain.budgets import AccountLimits, BudgetRef, BudgetState, TenantLimits
from stepward.domain.costs import CostLine
from stepward.domain.money import Price, Usage


class Budgets(Protocol):
    """Items of budgets; draws and returns belong to the transactions of runs."""

    def states(self, tenant: str, refs: Iterable[BudgetRef]) -> dict[BudgetRef, BudgetState]:
        """Read budgets, strongly consistent; a period without any draw is left out."""

    def move_limit(self, tenant: str, ref: BudgetRef, limit_usd_micros: int) -> None:
        """Change a budget's limit and what remains by the same amount; a new one begins full."""

    def refused(self, tenant: str, item_key: str, at: str) -> None:
        """Note that a draw was refused; only the first since the last change is kept."""

    def touched(self, limit: int) -> list[BudgetState]:
        """Name budgets of all tenants that were drawn from since they were last looked at."""

    def alerted(self, state: BudgetState, percent: int, at: str) -> bool:
        """Note that an alert is given; False when somebody else gave it."""

    def clear_touched(self, state: BudgetState) -> None:
        """Forget that a budget was touched, unless it was touched again since `state` was read."""


class CostBook(Protocol):
    """The sums of tenants."""

    def lines(self, tenant: str, first_day: str, last_day: str) -> list[CostLine]:
        """Read a tenant's lines of some days, both included: one line a day, agent and model."""


Prices = Mapping[str, Price]
"""Prices by the model's id."""


class AgreedPrices(Protocol):
    """Reads what was agreed; who asks at every call may be answered from memory of a minute."""

    def of(self, tenant: str) -> Prices:
        """Read the prices that hold for a tenant: its own before those of all."""


class PriceStore(AgreedPrices, Protocol):
    """Reads agreed prices as they are now, and changes them."""

    def versioned(self, tenant: str | None) -> tuple[Prices, int]:
        """Read a tenant's own prices, or with None those of all, with their version."""

    def change(self, tenant: str | None, prices: Prices, version: int) -> None:
        """Write prices over the version that was read.

        Raises:
            StoreConflict: Another writer was first.
        """


class CostCalculator(Protocol):
    """One way to price usage; packages add more as entry points `stepward.cost_calculators`."""

    def check(self, price: Price) -> None:
        """Check that a price's `terms` can be counted with.

        Raises:
            InvalidRequest: They cannot; `field` and `fix` say which and how to fix it.
        """

    def cost_usd_micros(self, model: str, usage: Usage, price: Price) -> int:
        """Price a usage in whole micro-dollars, rounded up, never below zero."""


class LimitsConfig(Protocol):
    """Reads limits; who asks at every start may be answered from memory of some seconds."""

    def tenant(self, tenant: str) -> TenantLimits:
        """Read a tenant's limits; the defaults where nothing was set."""

    def account(self) -> AccountLimits:
        """Read what all tenants together may do; the defaults where nothing was set."""


class LimitsStore(LimitsConfig, Protocol):
    """Reads limits as they are now, and changes them."""

    def versioned(self, tenant: str) -> tuple[TenantLimits, int]:
        """Read a tenant's limits with their version, strongly consistent; 0 if never written."""

    def change(self, tenant: str, limits: TenantLimits, version: int) -> None:
        """Write limits over the version that was read.

        Raises:
            StoreConflict: Another writer was first.
        """

    def change_account(self, limits: AccountLimits) -> None:
        """Write the account's limits."""
