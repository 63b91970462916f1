"""moto reads the whole table for every Query, so each run makes the next one slower.

Where: `Table.query` in moto/dynamodb/models/table.py filters `all_items()`. A query of the base table names one
partition, and only that one is looked at.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from typing import Any

from moto.dynamodb.models.table import Table

ORIGINAL = Table.query
ORIGINAL_ALL_ITEMS = Table.all_items

_SIGNATURE = inspect.signature(ORIGINAL)
_asked = threading.local()


def install() -> None:
    """Let a query of the base table see its partition only."""
    Table.query = _query
    Table.all_items = _all_items


def _query(table: Any, hash_key: Any, *args: Any, **kwargs: Any) -> Any:
    bound = _SIGNATURE.bind(table, hash_key, *args, **kwargs).arguments
    if bound.get("index_name") is None:
        _asked.partition = (table, hash_key)
    try:
        return ORIGINAL(table, hash_key, *args, **kwargs)
    finally:
        _asked.partition = None


def _all_items(table: Any) -> Iterator[Any]:
    asked = getattr(_asked, "partition", None)
    if asked is None or asked[0] is not table or not table.has_range_key:
        yield from ORIGINAL_ALL_ITEMS(table)
        return
    yield from table.items.get(asked[1], {}).values()
