"""The shelf of published tools in the registry table, one item a folder, in a partition of the platform's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import from_item, to_item
from stepward.domain.published_tools import ToolRoom

_PARTITION: Final = "PLATFORM#TOOLS"


@dataclass(frozen=True)
class DynamoToolShelf:
    """The shelf's items."""

    table: str

    def put(self, room: ToolRoom) -> None:
        """Replace a folder's item; deployments follow each other, so the last one is right."""
        item = {
            "pk": _PARTITION,
            "sk": _sort_key(room.room),
            "kind": "tools",
            "v": 1,
            "body": room.model_dump_json(),
        }
        with translated(f"publishing the tools of {room.room}"):
            client("dynamodb").put_item(TableName=self.table, Item=to_item(item))

    def room(self, room: str) -> ToolRoom | None:
        """Read one item."""
        key = to_item({"pk": _PARTITION, "sk": _sort_key(room)})
        with translated(f"reading the tools of {room}"):
            found = client("dynamodb").get_item(TableName=self.table, Key=key).get("Item")
        return _room(found) if found else None

    def rooms(self) -> list[ToolRoom]:
        """Read all items in one query."""
        with translated("reading the published tools"):
            pages = (
                client("dynamodb")
                .get_paginator("query")
                .paginate(
                    TableName=self.table,
                    KeyConditionExpression="pk = :pk",
                    ExpressionAttributeValues=to_item({":pk": _PARTITION}),
                )
            )
            return [_room(item) for page in pages for item in page["Items"]]


def _sort_key(room: str) -> str:
    return f"ROOM#{room}"


def _room(item: dict[str, Any]) -> ToolRoom:
    return ToolRoom.model_validate_json(from_item(item)["body"])
