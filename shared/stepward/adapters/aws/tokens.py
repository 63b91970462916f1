"""Task tokens in DynamoDB, beside the run's head."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import from_item, run_pk, to_item
from stepward.domain.runs import RunKey
from stepward.ports.clock import Clock

KEPT: Final = timedelta(days=400)
"""Longer than any execution may wait."""


@dataclass(frozen=True)
class DynamoTokens:
    """The tokens of the runtime table."""

    table: str
    clock: Clock

    def keep(self, key: RunKey, call: str, token: str) -> None:
        """Keep the newest token."""
        expires_at = int((self.clock.now() + KEPT).timestamp())
        item = {**_key(key, call), "token": token, "expires_at": expires_at}
        with translated(f"keeping the token of {call} of {key.run}"):
            client("dynamodb").put_item(TableName=self.table, Item=to_item(item))

    def of(self, key: RunKey, call: str) -> str | None:
        """Read a token."""
        with translated(f"reading the token of {call} of {key.run}"):
            found = client("dynamodb").get_item(
                TableName=self.table, Key=to_item(_key(key, call)), ConsistentRead=True
            )
        return str(from_item(found["Item"])["token"]) if "Item" in found else None


def _key(key: RunKey, call: str) -> dict[str, Any]:
    return {"pk": run_pk(key), "sk": f"TOKEN#{call}"}
