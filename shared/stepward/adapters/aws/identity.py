"""API keys in DynamoDB, by their public part; secrets are stored as hashes only."""

from __future__ import annotations

from dataclasses import dataclass

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import ABSENT, from_item, to_item
from stepward.ports.identity import ApiKeyRecord


@dataclass(frozen=True)
class DynamoIdentity:
    """The identity table."""

    table: str

    def api_key(self, key_id: str) -> ApiKeyRecord | None:
        """Find a key by its public part."""
        key = to_item({"pk": f"KEY#{key_id}", "sk": "KEY"})
        with translated("reading an API key"):
            item = client("dynamodb").get_item(TableName=self.table, Key=key).get("Item")
        return ApiKeyRecord.model_validate(from_item(item)) if item else None

    def keep(self, record: ApiKeyRecord) -> None:
        """Store a new key's record; a key is never overwritten."""
        item = {"pk": f"KEY#{record.key_id}", "sk": "KEY", "v": 1, **record.model_dump(exclude_none=True)}
        with translated("storing an API key"):
            client("dynamodb").put_item(TableName=self.table, Item=to_item(item), ConditionExpression=ABSENT)
