"""What tenants and the account may do at once, and their budgets: one configuration item each."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.budgets import AccountLimits, TenantLimits


class LimitsConfig(Protocol):
    """Reads limits; who asks at every start may be answered from memory of some seconds."""

    def tenant(self, tenant: str) -> TenantLimits:
        """Read a tenant's limits; the defaults where nothing was set."""

    def account(self) -> AccountLimits:
        """Read what all tenants together may do; the defaults where nothing was set."""


class LimitsStore(LimitsConfig, Protocol):
    """Reads limits as they are now, and changes them."""

    def versioned(self, tenant: str) -> tuple[TenantLimits, int]:
        """Read a tenant's limits with their version, strongly consistent; version 0 was never written."""

    def change(self, tenant: str, limits: TenantLimits, version: int) -> None:
        """Write limits over the version that was read; raises `StoreConflict` when somebody else wrote first."""

    def change_account(self, limits: AccountLimits) -> None:
        """Write the account's limits."""
