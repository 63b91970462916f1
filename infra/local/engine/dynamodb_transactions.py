"""moto's TransactWriteItems copies every table that it touches, and ignores the token that makes a retry harmless.

Where: `transact_write_items` in moto/dynamodb/models/__init__.py (519 ms for 2 items in a table of 5,000) and in
moto/dynamodb/responses.py (a replayed request is applied twice). Here only the touched items are kept for the case
that the transaction is cancelled, and a token is remembered for ten minutes, as on AWS.
"""

from __future__ import annotations

import copy
import json
import time
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb import models
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

ORIGINAL = DynamoDBBackend.transact_write_items
ORIGINAL_ACTION = DynamoHandler.transact_write_items
TOKEN_LIFE_S = 600.0

_tokens: dict[str, tuple[float, str]] = {}


class TokenReused(DynamodbException):  # type: ignore[misc]
    """The token of a transaction came back with another transaction."""

    def __init__(self) -> None:
        """Use AWS's name and words."""
        super().__init__(
            "IdempotentParameterMismatchException",
            "The client request token was used with other parameters than before.",
        )


def install() -> None:
    """Replace the backend's transaction and the API's action."""
    models.copy = _CopyAllButTables
    DynamoDBBackend.transact_write_items = _transact
    DynamoHandler.transact_write_items = _action


def _action(handler: Any) -> Any:
    token = handler.body.get("ClientRequestToken")
    if token is None:
        return ORIGINAL_ACTION(handler)
    _forget_old_tokens()
    content = json.dumps(handler.body["TransactItems"], sort_keys=True, default=repr)
    if token in _tokens:
        if _tokens[token][1] != content:
            raise TokenReused
        return ActionResult({"ConsumedCapacity": [], "ItemCollectionMetrics": {}})
    result = ORIGINAL_ACTION(handler)
    _tokens[token] = (time.monotonic() + TOKEN_LIFE_S, content)
    return result


def _forget_old_tokens() -> None:
    now_s = time.monotonic()
    for token in list(_tokens):
        if _tokens[token][0] > now_s:
            break  # tokens are kept in the order of their end
        del _tokens[token]


def _transact(backend: Any, transact_items: list[dict[str, Any]]) -> None:
    before = [_Before(backend, entry) for entry in transact_items]
    try:
        ORIGINAL(backend, transact_items)
    except DynamodbException:
        for item in before:
            item.restore()
        raise


class _CopyAllButTables:
    """Stands where moto's models say `copy`: a transaction is the only thing there that copies a table."""

    @staticmethod
    def deepcopy(value: Any, memo: dict[int, Any] | None = None) -> Any:
        return value if isinstance(value, Table) else copy.deepcopy(value, memo)


class _Before:
    """One item of a transaction as it was, and the length of its table's stream."""

    def __init__(self, backend: Any, entry: dict[str, Any]) -> None:
        operation = next(iter(entry.values()))
        self._table = backend.get_table(operation["TableName"])
        keys = operation.get("Key") or operation.get("Item") or {}
        self._hash_key = _key(keys, self._table.hash_key_attr)
        self._range_key = _key(keys, self._table.range_key_attr)
        self._item = copy.deepcopy(self._table.get_item(self._hash_key, self._range_key))
        shard = self._table.stream_shard
        self._stream_length = len(shard.items) if shard else 0

    def restore(self) -> None:
        table = self._table
        if table.stream_shard:
            del table.stream_shard.items[self._stream_length :]
        if self._range_key is None:
            _put_back(table.items, self._hash_key, self._item)
        elif self._hash_key in table.items:
            _put_back(table.items[self._hash_key], self._range_key, self._item)


def _put_back(items: Any, key: Any, item: Any) -> None:
    if item is None:
        items.pop(key, None)
    else:
        items[key] = item


def _key(keys: dict[str, Any], attribute: str | None) -> Any:
    return DynamoType(keys[attribute]) if attribute and attribute in keys else None
