"""Patches of DynamoDB's actions: atomic, all or nothing, and no slower in large tables."""

from __future__ import annotations

import base64
import copy
import inspect
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb import models
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler, DynamoResult

ORIGINAL_DYNAMODB_LOCK = DynamoHandler.call_action


Answer = tuple[int, dict[str, str], Any]
"""Status, headers, body."""


Action = Callable[[Any], Answer]


Observer = Callable[[Any, Action], Answer]


_lock = threading.RLock()


_observers: list[Observer] = []


def install_dynamodb_lock() -> None:
    """Run one action at a time.

    moto's DynamoDB is not atomic under threads: conditions are checked and written in two steps without a lock.

    Where: `DynamoHandler.call_action` in moto/dynamodb/responses.py. Six clients counted to 899 with 900 ADDs, and an
    optimistic condition was won twice. One lock around every action makes each of them atomic; the same place is where
    calls can be counted, with the items as they were before and after.
    """
    DynamoHandler.call_action = _call_action


def observe(observer: Observer | None) -> None:
    """Pass every later action to an observer, which calls it; None removes the observer."""
    _observers[:] = [] if observer is None else [observer]


def held() -> AbstractContextManager[Any]:
    """Return the lock that keeps actions out, for readers of data that must not change."""
    return _lock


def _call_action(handler: Any) -> Answer:
    with _lock:
        answer: Answer = (
            _observers[0](handler, ORIGINAL_DYNAMODB_LOCK) if _observers else ORIGINAL_DYNAMODB_LOCK(handler)
        )
        return answer


ORIGINAL_DYNAMODB_ANSWERS = DynamoResult.execute_result


_DATA_OPERATIONS = frozenset(
    {
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "UpdateItem",
    }
)


def install_dynamodb_answers() -> None:
    """Write the results of data operations as JSON without the API's model.

    moto writes DynamoDB's answers attribute by attribute through the API's model: 9 ms for a query of ten items.

    Where: `ActionResult.execute_result` (moto/core/responses.py), inherited by `DynamoResult` in moto/dynamodb/responses.py.
    The results of the data operations already have the shape that goes over the wire. All others, such as descriptions of
    tables with their dates, go through the model as before.
    """
    DynamoResult.execute_result = _execute_result


def _execute_result(result: Any, context: Any) -> Any:
    content = result.result
    if context.operation_model.name not in _DATA_OPERATIONS or not isinstance(content, dict):
        return ORIGINAL_DYNAMODB_ANSWERS(result, context)
    present = {name: value for name, value in content.items() if value is not None}
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(present, default=_binary)


def _binary(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} in an answer of DynamoDB")


ORIGINAL_DYNAMODB_PARTITIONS = Table.query


ORIGINAL_ALL_ITEMS = Table.all_items


_SIGNATURE = inspect.signature(ORIGINAL_DYNAMODB_PARTITIONS)


_asked = threading.local()


def install_dynamodb_partitions() -> None:
    """Let a query of the base table read its own partition only.

    moto reads the whole table for every Query, so each run makes the next one slower.

    Where: `Table.query` in moto/dynamodb/models/table.py filters `all_items()`. A query of the base table names one
    partition, and only that one is read.
    """
    Table.query = _query
    Table.all_items = _all_items


def _query(table: Any, hash_key: Any, *args: Any, **kwargs: Any) -> Any:
    bound = _SIGNATURE.bind(table, hash_key, *args, **kwargs).arguments
    if bound.get("index_name") is None:
        _asked.partition = (table, hash_key)
    try:
        return ORIGINAL_DYNAMODB_PARTITIONS(table, hash_key, *args, **kwargs)
    finally:
        _asked.partition = None


def _all_items(table: Any) -> Iterator[Any]:
    asked = getattr(_asked, "partition", None)
    if asked is None or asked[0] is not table or not table.has_range_key:
        yield from ORIGINAL_ALL_ITEMS(table)
        return
    yield from table.items.get(asked[1], {}).values()


ORIGINAL_DYNAMODB_TRANSACTIONS = DynamoDBBackend.transact_write_items


ORIGINAL_ACTION = DynamoHandler.transact_write_items


TOKEN_LIFE_S = 600.0


_tokens: dict[str, tuple[float, str]] = {}


class TokenReused(DynamodbException):  # type: ignore[misc]
    """A request token was used for two different transactions."""

    def __init__(self) -> None:
        """Use AWS's code and message."""
        super().__init__(
            "IdempotentParameterMismatchException",
            "The client request token was used with other parameters than before.",
        )


def install_dynamodb_transactions() -> None:
    """Keep only the touched items for a rollback, and honour the request token.

    moto's TransactWriteItems copies every table that it touches, and ignores the token that makes a retry harmless.

    Where: `transact_write_items` in moto/dynamodb/models/__init__.py (519 ms for 2 items in a table of 5,000) and in
    moto/dynamodb/responses.py (a replayed request is applied twice). Here only the touched items are kept for the case
    that the transaction is cancelled, and a token is remembered for ten minutes, as on AWS.
    """
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
        ORIGINAL_DYNAMODB_TRANSACTIONS(backend, transact_items)
    except DynamodbException:
        for item in before:
            item.restore()
        raise


class _CopyAllButTables:
    """Replacement for `copy` in moto's models, where only a transaction copies a table."""

    @staticmethod
    def deepcopy(value: Any, memo: dict[int, Any] | None = None) -> Any:
        return value if isinstance(value, Table) else copy.deepcopy(value, memo)


class _Before:
    """One item before a transaction, and the length of its table's stream."""

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
