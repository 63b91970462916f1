"""Configuration items that are read whole and written over the version that was read."""

from __future__ import annotations

from dataclasses import dataclass

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import ABSENT, from_item, to_item

ACCOUNT = "ACCOUNT"
"""The partition of what holds for all tenants."""


@dataclass(frozen=True)
class VersionedItem:
    """One item with a body and a version, counted from 1."""

    table: str
    pk: str
    sk: str

    @classmethod
    def of_tenant(cls, table: str, tenant: str, name: str) -> VersionedItem:
        """Name a tenant's item."""
        return cls(table, f"T#{tenant}", f"CONFIG#{name}")

    @classmethod
    def of_account(cls, table: str, name: str) -> VersionedItem:
        """Name the account's item."""
        return cls(table, ACCOUNT, f"CONFIG#{name}")

    def read(self) -> tuple[str | None, int]:
        """Read body and version; None and 0 if it was never written."""
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
    def _key(self) -> dict[str, dict[str, str]]:
        return to_item({"pk": self.pk, "sk": self.sk})
