"""Money in dictionaries: budgets, the book of costs, agreed prices and limits, with the table's conditions."""

from __future__ import annotations

from collections.abc import Iterable
from threading import RLock
from typing import Any

from stepward.domain.budgets import AccountLimits, BudgetRef, BudgetState, TenantLimits
from stepward.domain.costs import CostLine, added_up
from stepward.domain.errors import StoreConflict
from stepward.ports.costs import Prices


class MemoryBudgets:
    """Keeps what remains of budgets.

    What writes a run's start or end draws and returns under the same `lock`.
    """

    def __init__(self, lock: Any = None) -> None:
        self._states: dict[tuple[str, BudgetRef], BudgetState] = {}
        self._touched: set[tuple[str, BudgetRef]] = set()
        self._lock = lock or RLock()

    def can_draw(self, tenant: str, item_key: str, limit_usd_micros: int, usd_micros: int) -> bool:
        """Return whether enough remains."""
        return self._state(tenant, item_key, limit_usd_micros).remaining_usd_micros >= usd_micros

    def draw(self, tenant: str, item_key: str, limit_usd_micros: int, usd_micros: int) -> None:
        """Draw money; the first draw creates the budget, full."""
        self._move(self._state(tenant, item_key, limit_usd_micros), -usd_micros)

    def give_back(self, tenant: str, item_key: str, usd_micros: int) -> None:
        """Return money."""
        self._move(self._states[(tenant, BudgetRef.of(item_key))], usd_micros)

    def states(self, tenant: str, refs: Iterable[BudgetRef]) -> dict[BudgetRef, BudgetState]:
        """Read budgets."""
        return {ref: self._states[(tenant, ref)] for ref in refs if (tenant, ref) in self._states}

    def move_limit(self, tenant: str, ref: BudgetRef, limit_usd_micros: int) -> None:
        """Move limit and remainder; a budget without draws is created full."""
        with self._lock:
            before = self._state(tenant, ref.item_key, limit_usd_micros)
            changed = before.limit_usd_micros != limit_usd_micros
            self._keep(before.with_limit(limit_usd_micros) if changed else before, touch=changed)

    def refused(self, tenant: str, item_key: str, at: str) -> None:
        """Mark a refused draw once."""
        with self._lock:
            state = self._states.get((tenant, BudgetRef.of(item_key)))
            if state and not state.refused_at:
                self._keep(state.model_copy(update={"refused_at": at}))

    def touched(self, limit: int) -> list[BudgetState]:
        """List the budgets that were drawn from."""
        with self._lock:
            return [self._states[place] for place in sorted(self._touched, key=str)][:limit]

    def every(self) -> list[BudgetState]:
        """Read all budgets of all tenants."""
        return list(self._states.values())

    def alerted(self, state: BudgetState, percent: int, at: str) -> bool:
        """Mark an alert once."""
        with self._lock:
            now = self._states[(state.tenant, state.ref)]
            if now.alerted_pct >= percent:
                return False
            alerts = {**now.alerts, str(percent): at}
            after = now.model_copy(update={"alerted_pct": percent, "alerts": alerts})
            self._states[(state.tenant, state.ref)] = after
            return True

    def clear_touched(self, state: BudgetState) -> None:
        """Take a budget out of those that were drawn from."""
        with self._lock:
            place = (state.tenant, state.ref)
            if self._states[place].remaining_usd_micros == state.remaining_usd_micros:
                self._touched.discard(place)

    def _state(self, tenant: str, item_key: str, limit: int) -> BudgetState:
        ref = BudgetRef.of(item_key)
        full = BudgetState(tenant=tenant, ref=ref, limit_usd_micros=limit, remaining_usd_micros=limit)
        return self._states.get((tenant, ref), full)

    def _move(self, state: BudgetState, usd_micros: int) -> None:
        with self._lock:
            left = state.remaining_usd_micros + usd_micros
            self._keep(state.model_copy(update={"remaining_usd_micros": left}), touch=usd_micros < 0)

    def _keep(self, state: BudgetState, *, touch: bool = True) -> None:
        self._states[(state.tenant, state.ref)] = state
        if touch:
            self._touched.add((state.tenant, state.ref))


class MemoryCostBook:
    """Keeps booked costs."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, CostLine]] = []

    def add(self, tenant: str, line: CostLine) -> None:
        """Add a line's numbers."""
        self._lines.append((tenant, line))

    def lines(self, tenant: str, first_day: str, last_day: str) -> list[CostLine]:
        """Read the lines of some days."""
        return added_up(
            line for owner, line in self._lines if owner == tenant and first_day <= line.day <= last_day
        )


class MemoryPrices:
    """Keeps each tenant's prices with a version, and under None those of all."""

    def __init__(self) -> None:
        self._prices: dict[str | None, tuple[Prices, int]] = {}
        self._lock = RLock()

    def of(self, tenant: str) -> Prices:
        """Read the prices that hold for a tenant."""
        return {**self.versioned(None)[0], **self.versioned(tenant)[0]}

    def versioned(self, tenant: str | None) -> tuple[Prices, int]:
        """Read prices with their version."""
        return self._prices.get(tenant, ({}, 0))

    def change(self, tenant: str | None, prices: Prices, version: int) -> None:
        """Write prices over the version that was read."""
        with self._lock:
            if self.versioned(tenant)[1] != version:
                raise StoreConflict("the prices were changed by another writer.")
            self._prices[tenant] = (dict(prices), version + 1)


class MemoryLimitsConfig:
    """Keeps each tenant's limits with a version."""

    def __init__(self) -> None:
        self._tenants: dict[str, tuple[TenantLimits, int]] = {}
        self._account = AccountLimits()
        self._lock = RLock()

    def tenant(self, tenant: str) -> TenantLimits:
        """Read a tenant's limits."""
        return self.versioned(tenant)[0]

    def account(self) -> AccountLimits:
        """Read the account's limits."""
        return self._account

    def versioned(self, tenant: str) -> tuple[TenantLimits, int]:
        """Read a tenant's limits with their version."""
        return self._tenants.get(tenant, (TenantLimits(), 0))

    def change(self, tenant: str, limits: TenantLimits, version: int) -> None:
        """Write limits over the version that was read."""
        with self._lock:
            if self.versioned(tenant)[1] != version:
                raise StoreConflict(f"the limits of {tenant} were changed by another writer.")
            self._tenants[tenant] = (limits, version + 1)

    def change_account(self, limits: AccountLimits) -> None:
        """Write the account's limits."""
        self._account = limits
