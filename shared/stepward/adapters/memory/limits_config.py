"""Limits in a dictionary, with the same conditions as the table."""

from __future__ import annotations

from threading import RLock

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.errors import StoreConflict


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
                raise StoreConflict(f"the limits of {tenant} were changed by somebody else.")
            self._tenants[tenant] = (limits, version + 1)

    def change_account(self, limits: AccountLimits) -> None:
        """Write the account's limits."""
        self._account = limits
