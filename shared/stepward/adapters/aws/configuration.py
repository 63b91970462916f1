"""Configuration items in the registry table: limits and agreed prices, one item a tenant, one for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import ConfigDict, TypeAdapter

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import ABSENT, Item, from_item, to_item
from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.money import Price
from stepward.ports.costs import Prices

ACCOUNT = "ACCOUNT"
"""The partition of settings that hold for all tenants."""


@dataclass(frozen=True)
class VersionedItem:
    """One item with a body and a version, which is counted from 1."""

    table: str
    pk: str
    sk: str

    @classmethod
    def of_tenant(cls, table: str, tenant: str, name: str) -> VersionedItem:
        """Return a tenant's item."""
        return cls(table, f"T#{tenant}", f"CONFIG#{name}")

    @classmethod
    def of_account(cls, table: str, name: str) -> VersionedItem:
        """Return the account's item."""
        return cls(table, ACCOUNT, f"CONFIG#{name}")

    def read(self) -> tuple[str | None, int]:
        """Read body and version; None and 0 for one that was never written."""
        with translated(f"reading {self.sk}"):
            found = client("dynamodb").get_item(TableName=self.table, Key=self._key, ConsistentRead=True)
        item = from_item(found.get("Item", {}))
        return item.get("body"), item.get("version", 0)

    def write(self, body: str, version: int) -> None:
        """Write over the version that was read.

        time →   A reads 3        A writes 4 ✓
                 B reads 3                      B writes 4 ✗ (4 is there) → `StoreConflict`, B reads again
        """
        condition = {"ConditionExpression": "version = :read" if version else ABSENT}
        values = {"ExpressionAttributeValues": to_item({":read": version})} if version else {}
        with translated(f"changing {self.sk}"):
            client("dynamodb").put_item(
                TableName=self.table,
                Item={**self._key, **to_item({"v": 1, "version": version + 1, "body": body})},
                **condition,
                **values,
            )

    @property
    def _key(self) -> Item:
        return to_item({"pk": self.pk, "sk": self.sk})


@dataclass(frozen=True)
class DynamoLimitsConfig:
    """Keeps limits and budgets in the registry table."""

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


_PRICES: Final[TypeAdapter[dict[str, Price]]] = TypeAdapter(
    dict[str, Price], config=ConfigDict(defer_build=True)
)


@dataclass(frozen=True)
class DynamoPrices:
    """Keeps agreed prices in the registry table."""

    table: str

    def of(self, tenant: str) -> Prices:
        """Read the prices that hold for a tenant."""
        return {**self.versioned(None)[0], **self.versioned(tenant)[0]}

    def versioned(self, tenant: str | None) -> tuple[Prices, int]:
        """Read prices with their version."""
        body, version = self._item(tenant).read()
        return (_PRICES.validate_json(body) if body else {}), version

    def change(self, tenant: str | None, prices: Prices, version: int) -> None:
        """Write prices over the version that was read."""
        body = _PRICES.dump_json(dict(prices), exclude_defaults=True).decode()
        self._item(tenant).write(body, version)

    def _item(self, tenant: str | None) -> VersionedItem:
        if tenant is None:
            return VersionedItem.of_account(self.table, "prices")
        return VersionedItem.of_tenant(self.table, tenant, "prices")
