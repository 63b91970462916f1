"""Keeps a foreach's items for its rounds, which know their numbers only: a large list in slices, so that none reads it all."""

from __future__ import annotations

from typing import Any

from stepward.domain.programs import Program
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey
from stepward.ports.task_store import TaskStore
from stepward.workflow.limits import SLICE_ITEMS


def keep_items(store: TaskStore, key: RunKey, program: Program, body: str, at: str, items: list[Any]) -> None:
    """Keep a list; kept twice it is the same list."""
    name = _name(body, at)
    if body not in program.chunks:
        store.put_value(key, name, items)
        return
    for first in range(0, len(items), SLICE_ITEMS):
        store.put_value(key, _slice(name, first), items[first : first + SLICE_ITEMS])
    store.put_value(key, name, {"items": len(items)})


def count_items(store: TaskStore, key: RunKey, body: str, at: str) -> int:
    """Count the items of a list that was kept."""
    found = store.value(key, _name(body, at))
    return found["items"] if isinstance(found, dict) else len(found)


def items_around(
    store: TaskStore, key: RunKey, program: Program, body: str, at: str, number: int
) -> tuple[list[Any], int]:
    """Read the part of a list that holds an item, and the item's place in it."""
    name = _name(body, at)
    if body not in program.chunks:
        return store.value(key, name), number
    return store.value(key, _slice(name, number)), number % SLICE_ITEMS


def _name(body: str, at: str) -> str:
    return f"{TaskKey(path=body, at=at)}~items"


def _slice(name: str, number: int) -> str:
    return f"{name}~{number // SLICE_ITEMS}"
