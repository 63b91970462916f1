"""Limits in the registry table: one item a tenant, one for the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import ABSENT, from_item, to_item
from stepward.domain.budgets import AccountLimits, TenantLimits

_ACCOUNT: Final = {"pk": "ACCOUNT", "sk": "CONFIG#limits"}


@dataclass(frozen=True)
class DynamoLimitsConfig:
    """The limits' items."""

    table: str

    def tenant(self, tenant: str) -> TenantLimits:
        """Read a tenant's limits."""
        return self.versioned(tenant)[0]

    def account(self) -> AccountLimits:
        """Read the account's limits."""
        item = self._read(_ACCOUNT)
        return AccountLimits.model_validate_json(item["body"]) if item else AccountLimits()

    def versioned(self, tenant: str) -> tuple[TenantLimits, int]:
        """Read a tenant's limits with their version."""
        item = self._read(_key(tenant))
        if not item:
            return TenantLimits(), 0
        return TenantLimits.model_validate_json(item["body"]), item["version"]

    def change(self, tenant: str, limits: TenantLimits, version: int) -> None:
        """Write limits over the version that was read.

        time →   A reads 3        A writes 4 ✓
                 B reads 3                      B writes 4 ✗ (4 is there) → B reads again
        """
        item = {**_key(tenant), "v": 1, "version": version + 1, "body": limits.model_dump_json()}
        condition = {"ConditionExpression": ABSENT}
        if version:
            condition = {"ConditionExpression": "version = :read"}
        values = {"ExpressionAttributeValues": to_item({":read": version})} if version else {}
        with translated(f"changing the limits of {tenant}"):
            client("dynamodb").put_item(TableName=self.table, Item=to_item(item), **condition, **values)

    def change_account(self, limits: AccountLimits) -> None:
        """Write the account's limits."""
        item = {**_ACCOUNT, "v": 1, "body": limits.model_dump_json()}
        with translated("changing the account's limits"):
            client("dynamodb").put_item(TableName=self.table, Item=to_item(item))

    def _read(self, key: dict[str, str]) -> dict[str, Any]:
        with translated("reading limits"):
            found = client("dynamodb").get_item(TableName=self.table, Key=to_item(key), ConsistentRead=True)
        return from_item(found.get("Item", {}))


def _key(tenant: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}", "sk": "CONFIG#limits"}
