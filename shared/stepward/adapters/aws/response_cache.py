"""The response cache in the limits table, which holds nothing that a run could not do without.

T#t#RESPONSE#agent@version#digest   REPLY   body; DynamoDB removes it some time after `expires_at`
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from pydantic import ValidationError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import from_item, to_item
from stepward.ports.models import KeptReply, ResponseKey

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class DynamoResponseCache:
    """Keeps replies, each in a partition of its own, so that none is ever throttled."""

    table: str

    def find(self, key: ResponseKey) -> KeptReply | None:
        """Read a reply, eventually consistent.

        That costs half, and at worst the model is asked once more.
        """
        with translated("looking into the response cache"):
            found = client("dynamodb").get_item(TableName=self.table, Key=to_item(_key(key)))
        return _read(from_item(found["Item"])) if "Item" in found else None

    def keep(self, key: ResponseKey, kept: KeptReply) -> None:
        """Write a reply; of two to the same request the later one stays."""
        item = {
            **_key(key),
            "body": kept.model_dump_json(),
            "expires_at": ceil(kept.expires_at.timestamp()),
        }
        with translated("keeping a reply in the response cache"):
            client("dynamodb").put_item(TableName=self.table, Item=to_item(item))


def _key(key: ResponseKey) -> dict[str, str]:
    return {"pk": f"T#{key.tenant}#RESPONSE#{key.agent}@{key.version}#{key.digest}", "sk": "REPLY"}


def _read(item: dict[str, Any]) -> KeptReply | None:
    """Read an item; one that another release wrote may be unreadable, and counts as missing."""
    try:
        return KeptReply.model_validate_json(item.get("body", ""))
    except ValidationError as error:
        _LOG.warning("a reply in the response cache cannot be read: %d faults", error.error_count())
        return None
