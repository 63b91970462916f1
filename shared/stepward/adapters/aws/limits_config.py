"""Limits in the registry table: one item a tenant, one for the account."""

from __future__ import annotations

from dataclasses import dataclass

from stepward.adapters.aws.versioned_items import VersionedItem
from stepward.domain.budgets import AccountLimits, TenantLimits


@dataclass(frozen=True)
class DynamoLimitsConfig:
    """The limits' items."""

    table: str

    def tenant(self, tenant: str) -> TenantLimits:
        """Read a tenant's limits."""
        return self.versioned(tenant)[0]

    def account(self) -> AccountLimits:
        """Read the account's limits."""
        body, _ = self._of_account.read()
        return AccountLimits.model_validate_json(body) if body else AccountLimits()

    def versioned(self, tenant: str) -> tuple[TenantLimits, int]:
        """Read a tenant's limits with their version."""
        body, version = self._of(tenant).read()
        return (TenantLimits.model_validate_json(body) if body else TenantLimits()), version

    def change(self, tenant: str, limits: TenantLimits, version: int) -> None:
        """Write limits over the version that was read."""
        self._of(tenant).write(limits.model_dump_json(), version)

    def change_account(self, limits: AccountLimits) -> None:
        """Write the account's limits."""
        item = self._of_account
        item.write(limits.model_dump_json(), item.read()[1])

    def _of(self, tenant: str) -> VersionedItem:
        return VersionedItem.of_tenant(self.table, tenant, "limits")

    @property
    def _of_account(self) -> VersionedItem:
        return VersionedItem.of_account(self.table, "limits")
