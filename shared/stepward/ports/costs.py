"""Money and limits: budgets, cost lines, agreed prices, and how many runs may be active."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from stepward.domain.budgets import AccountLimits, BudgetRef, BudgetState, TenantLimits
from stepward.domain.costs import CostLine
from stepward.domain.money import Price, Usage


class Budgets(Protocol):
    """The budget items; draws and returns are part of the transactions of runs."""

    def states(self, tenant: str, refs: Iterable[BudgetRef]) -> dict[BudgetRef, BudgetState]:
        """Read budgets, strongly consistent.

        Args:
            tenant: Whose budgets.
            refs: Which ones.

        Returns:
            The states of those that exist; a period without any draw has none.
        """

    def move_limit(self, tenant: str, ref: BudgetRef, limit_usd_micros: int) -> None:
        """Change a budget's limit and what remains by the same amount; a new one begins full.

        Args:
            tenant: Whose budget.
            ref: Which one.
            limit_usd_micros: The new limit, in micro-dollars.
        """

    def refused(self, tenant: str, item_key: str, at: str) -> None:
        """Record that a draw was refused; only the first since the last change is kept.

        Args:
            tenant: Whose budget.
            item_key: The budget's `BudgetRef.item_key`.
            at: The time, in UTC.
        """

    def touched(self, limit: int) -> list[BudgetState]:
        """List budgets that were drawn from since they were last cleared.

        Args:
            limit: How many at most.

        Returns:
            Budgets of all tenants, in any order.
        """

    def alerted(self, state: BudgetState, percent: int, at: str) -> bool:
        """Record that an alert was given.

        Args:
            state: The budget as it was read.
            percent: The level of the alert.
            at: The time, in UTC.

        Returns:
            False if another writer has recorded it.
        """

    def clear_touched(self, state: BudgetState) -> None:
        """Clear a budget's mark, unless it was touched again since `state` was read.

        Args:
            state: The budget as it was read.
        """


class CostBook(Protocol):
    """The sums of tenants' costs."""

    def lines(self, tenant: str, first_day: str, last_day: str) -> list[CostLine]:
        """Read a tenant's lines of some days.

        Args:
            tenant: Whose costs.
            first_day: The first UTC day, as 2026-11-21, included.
            last_day: The last UTC day, included.

        Returns:
            One line per day, agent, model and workflow.
        """


Prices = Mapping[str, Price]
"""Prices by the model's id."""


class AgreedPrices(Protocol):
    """Reads agreed prices; an implementation for frequent calls may cache them for a minute."""

    def of(self, tenant: str) -> Prices:
        """Read the prices that were agreed for a tenant.

        Args:
            tenant: Whose prices.

        Returns:
            Its own prices, and for other models those agreed for all tenants.
        """


class PriceStore(AgreedPrices, Protocol):
    """Reads agreed prices as they are now, and changes them."""

    def versioned(self, tenant: str | None) -> tuple[Prices, int]:
        """Read agreed prices with their version, strongly consistent.

        Args:
            tenant: Whose own prices; None for those of all tenants.

        Returns:
            The prices, and the version that `change` takes; 0 if never written.
        """

    def change(self, tenant: str | None, prices: Prices, version: int) -> None:
        """Write prices over the version that was read.

        Args:
            tenant: Whose own prices; None for those of all tenants.
            prices: All of them, in place of the earlier ones.
            version: What `versioned` returned.

        Raises:
            StoreConflict: Another writer was first.
        """


class CostCalculator(Protocol):
    """One way to price usage; packages add more as entry points `stepward.cost_calculators`."""

    def check(self, price: Price) -> None:
        """Check that a price's `terms` can be counted with.

        Args:
            price: The price.

        Raises:
            InvalidRequest: They cannot; `field` and `fix` say which and how to fix it.
        """

    def cost_usd_micros(self, model: str, usage: Usage, price: Price) -> int:
        """Price a usage.

        Args:
            model: The model's id.
            usage: What its calls took.
            price: The model's price.

        Returns:
            Whole micro-dollars, rounded up, never below zero.
        """


class LimitsConfig(Protocol):
    """Reads limits; an implementation for frequent calls may cache them for some seconds."""

    def tenant(self, tenant: str) -> TenantLimits:
        """Read a tenant's limits.

        Args:
            tenant: Whose limits.

        Returns:
            The limits; the defaults where nothing was set.
        """

    def account(self) -> AccountLimits:
        """Read what all tenants together may do.

        Returns:
            The limits; the defaults where nothing was set.
        """


class LimitsStore(LimitsConfig, Protocol):
    """Reads limits as they are now, and changes them."""

    def versioned(self, tenant: str) -> tuple[TenantLimits, int]:
        """Read a tenant's limits with their version, strongly consistent.

        Args:
            tenant: Whose limits.

        Returns:
            The limits, and the version that `change` takes; 0 if never written.
        """

    def change(self, tenant: str, limits: TenantLimits, version: int) -> None:
        """Write limits over the version that was read.

        Args:
            tenant: Whose limits.
            limits: All of them, in place of the earlier ones.
            version: What `versioned` returned.

        Raises:
            StoreConflict: Another writer was first.
        """

    def change_account(self, limits: AccountLimits) -> None:
        """Write the account's limits.

        Args:
            limits: All of them, in place of the earlier ones.
        """
