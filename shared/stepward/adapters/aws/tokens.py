"""Task tokens in DynamoDB, beside the run's head."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import CONDITION_FAILED, error_code, translated
from stepward.adapters.aws.items import from_item, run_pk, to_item
from stepward.domain.runs import RunKey
from stepward.ports.clock import Clock

KEPT: Final = timedelta(days=400)
"""Longer than any execution may wait."""


@dataclass(frozen=True)
class DynamoTokens:
    """Keeps task tokens in the runtime table."""

    table: str
    clock: Clock

    def keep(self, key: RunKey, call: str, token: str, made: str = "") -> bool:
        """Write a token unless a newer one is there.

        time →   dispatch: token 1 ─ its answer is lost ──────────────────────── keeps 1 ✗ (2 is newer)
                 the machine tries again: token 2 ─ dispatch: keeps 2 ✓          waits with token 2
        """
        expires_at = int((self.clock.now() + KEPT).timestamp())
        item = {**_key(key, call), "token": token, "made": made or None, "expires_at": expires_at}
        newest = {
            "ConditionExpression": "attribute_not_exists(made) OR made <= :made",
            "ExpressionAttributeValues": to_item({":made": made}),
        }
        with translated(f"keeping the token of {call} of {key.run}"):
            try:
                client("dynamodb").put_item(
                    TableName=self.table, Item=to_item(item), **(newest if made else {})
                )
            except ClientError as error:
                if error_code(error) != CONDITION_FAILED:
                    raise
                return False
        return True

    def of(self, key: RunKey, call: str) -> str | None:
        """Read a token."""
        with translated(f"reading the token of {call} of {key.run}"):
            found = client("dynamodb").get_item(
                TableName=self.table, Key=to_item(_key(key, call)), ConsistentRead=True
            )
        return str(from_item(found["Item"])["token"]) if "Item" in found else None


def _key(key: RunKey, call: str) -> dict[str, str]:
    return {"pk": run_pk(key), "sk": f"TOKEN#{call}"}
