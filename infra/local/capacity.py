"""What DynamoDB would charge for, computed by the published rule, because moto's consumed units are constants.

Sizes: UTF-8 bytes of attribute names and values. Writes: 1 unit a started KB of the larger of old and new item, twice
in a transaction, at least 1 for a condition that fails. Reads: 1 unit a started 4 KB, half when eventual, twice in a
transaction; a Query rounds the sum of its items once. An index write costs by the projected size: nothing if the
projection stays the same, two writes if the index key changes.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Item = Mapping[str, Any]
"""An item in DynamoDB's JSON: {"name": {"S": "…"}}."""

_WRITE_UNIT_BYTES = 1024
_READ_UNIT_BYTES = 4096


@dataclass(frozen=True)
class Index:
    """A global secondary index, as far as its writes cost."""

    keys: tuple[str, ...]
    projection: str
    included: frozenset[str]

    def project(self, item: Item | None, table_keys: frozenset[str]) -> Item | None:
        """Give what the index stores of an item, or None if the item is not in it."""
        if item is None or any(key not in item for key in self.keys):
            return None
        if self.projection == "ALL":
            return item
        kept = table_keys | frozenset(self.keys) | self.included
        return {name: value for name, value in item.items() if name in kept}


def item_bytes(item: Item | None) -> int:
    """Measure an item; one that does not exist has no size."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in (item or {}).items())


def write_units(old: Item | None, new: Item | None) -> float:
    """Charge one write of the base table."""
    return _started(max(item_bytes(old), item_bytes(new)), _WRITE_UNIT_BYTES)


def index_write_units(index: Index, old: Item | None, new: Item | None, table_keys: frozenset[str]) -> float:
    """Charge what one write of the base table causes in an index."""
    before, after = index.project(old, table_keys), index.project(new, table_keys)
    if before == after:
        return 0.0
    if before is None or after is None or all(before[key] == after[key] for key in index.keys):
        return write_units(before, after)
    return write_units(before, None) + write_units(None, after)


def read_units(sizes_bytes: Iterable[int], *, consistent: bool, transactional: bool = False) -> float:
    """Charge a read that rounds the sum of its items once (Query, Scan, or one item)."""
    units = float(_started(sum(sizes_bytes), _READ_UNIT_BYTES))
    if transactional:
        return 2 * units
    return units if consistent else units / 2


def _started(size_bytes: int, unit_bytes: int) -> int:
    return max(1, math.ceil(size_bytes / unit_bytes))


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    return _SIZES[kind](content)


def _binary_bytes(content: str | bytes) -> int:
    # Bytes where moto has decoded them, base64 as they came over the wire.
    return len(content) if isinstance(content, bytes) else len(content) * 3 // 4


def _number_bytes(number: str) -> int:
    digits = str(number).lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + str(number).startswith("-")


def _list_bytes(content: Iterable[Mapping[str, Any]]) -> int:
    return 3 + sum(1 + _value_bytes(element) for element in content)


def _map_bytes(content: Item) -> int:
    return 3 + sum(1 + len(name.encode()) + _value_bytes(element) for name, element in content.items())


def _text_bytes(content: str) -> int:
    return len(content.encode())


_SIZES: Mapping[str, Callable[[Any], int]] = {
    "S": _text_bytes,
    "N": _number_bytes,
    "B": _binary_bytes,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": lambda content: sum(map(_text_bytes, content)),
    "NS": lambda content: sum(map(_number_bytes, content)),
    "BS": lambda content: sum(map(_binary_bytes, content)),
    "L": _list_bytes,
    "M": _map_bytes,
}
