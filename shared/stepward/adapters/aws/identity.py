"""API keys in DynamoDB, by their public part; secrets are stored as hashes only."""

from __future__ import annotations

from dataclasses import dataclass

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import ABSENT, from_item, to_item
from stepward.domain.errors import StoreConflict
from stepward.ports.identity import ApiKeyRecord


@dataclass(frozen=True)
class DynamoIdentity:
    """Keeps API keys in the identity table."""

    table: str

    def api_key(self, key_id: str) -> ApiKeyRecord | None:
        """Find a key by its public part."""
        key = to_item({"pk": f"KEY#{key_id}", "sk": "KEY"})
        with translated("reading an API key"):
            item = client("dynamodb").get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return ApiKeyRecord.model_validate(from_item(item)) if item else None

    def keep(self, record: ApiKeyRecord) -> None:
        """Store a new key's record; a key is never overwritten."""
        item = {"pk": f"KEY#{record.key_id}", "sk": "KEY", "v": 1, **record.model_dump(exclude_none=True)}
        with translated("storing an API key"):
            client("dynamodb").put_item(TableName=self.table, Item=to_item(item), ConditionExpression=ABSENT)

    def api_keys(self, tenant: str | None) -> list[ApiKeyRecord]:
        """List keys, newest first, from a scan of the whole table."""
        pages = client("dynamodb").get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        with translated("listing API keys"):
            items = [from_item(item) for page in pages for item in page["Items"]]
        keys = [ApiKeyRecord.model_validate(item) for item in items if str(item["pk"]).startswith("KEY#")]
        mine = [key for key in keys if tenant in (None, key.tenant)]
        return sorted(mine, key=lambda key: (key.created_at, key.key_id), reverse=True)

    def revoke(self, key_id: str, at: str) -> bool:
        """Write when a key was revoked.

        time →   operator: revoked ✓        a request after that: its key is read with it ✗        revoked again: the first time stays
        """
        try:
            with translated("revoking an API key"):
                client("dynamodb").update_item(
                    TableName=self.table,
                    Key=to_item({"pk": f"KEY#{key_id}", "sk": "KEY"}),
                    UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :at)",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues=to_item({":at": at}),
                )
        except StoreConflict:
            return False
        return True
