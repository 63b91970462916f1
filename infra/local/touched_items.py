"""Which items a DynamoDB call touches, so that they can be measured before and after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType

from infra.local.capacity import Index, Item


@dataclass(frozen=True)
class TableView:
    """One of moto's tables, read only."""

    name: str
    key_names: tuple[str, ...]
    indexes: tuple[Index, ...]
    table: Any

    def item(self, key: Item) -> Item | None:
        """Look an item up by its key and give it as it would go over the wire."""
        values = [DynamoType(key[name]) for name in self.key_names]
        found = self.table.get_item(*values)
        return dict(found.to_json()["Attributes"]) if found is not None else None


@dataclass(frozen=True)
class Touch:
    """One item of one call; `new` is what the caller puts, where that is known before."""

    table: str
    key: Item
    writes: bool
    new: Item | None = None
    consistent: bool = False


def view(backend: Any, name: str) -> TableView | None:
    """Find a table, or None if there is none: the call will fail by itself."""
    table = backend.tables.get(name.rsplit("/", 1)[-1])
    if table is None:
        return None
    keys = tuple(key for key in (table.hash_key_attr, table.range_key_attr) if key)
    return TableView(table.name, keys, tuple(_index(index) for index in table.global_indexes), table)


def touches(operation: str, body: dict[str, Any]) -> Iterator[Touch]:
    """List the items that a call names.

    What queries and scans touch is known from their answers only.
    """
    match operation:
        case "PutItem":
            yield Touch(body["TableName"], body["Item"], writes=True, new=body["Item"])
        case "UpdateItem" | "DeleteItem":
            yield Touch(body["TableName"], body["Key"], writes=True)
        case "GetItem":
            yield _read(body["TableName"], body["Key"], body)
        case "TransactWriteItems":
            yield from map(_transacted, body["TransactItems"])
        case "TransactGetItems":
            yield from (
                _read(entry["Get"]["TableName"], entry["Get"]["Key"], {}) for entry in body["TransactItems"]
            )
        case "BatchGetItem":
            for table, request in body["RequestItems"].items():
                yield from (_read(table, key, request) for key in request["Keys"])
        case "BatchWriteItem":
            yield from _batch_written(body["RequestItems"])


def _read(table: str, key: Item, request: dict[str, Any]) -> Touch:
    return Touch(table, key, writes=False, consistent=bool(request.get("ConsistentRead")))


def _transacted(entry: dict[str, Any]) -> Touch:
    ((_, operation),) = entry.items()
    item = operation.get("Item")
    return Touch(operation["TableName"], operation.get("Key") or item, writes=True, new=item)


def _batch_written(request_items: dict[str, Any]) -> Iterator[Touch]:
    for table, requests in request_items.items():
        for request in requests:
            if "PutRequest" in request:
                item = request["PutRequest"]["Item"]
                yield Touch(table, item, writes=True, new=item)
            else:
                yield Touch(table, request["DeleteRequest"]["Key"], writes=True)


def _index(index: Any) -> Index:
    return Index(
        keys=tuple(key["AttributeName"] for key in index.schema),
        projection=index.projection.get("ProjectionType", "ALL"),
        included=frozenset(index.projection.get("NonKeyAttributes", ())),
    )
