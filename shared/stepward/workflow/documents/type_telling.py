"""Tells the type of a task that does not say it, by the field that only tasks of that type have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stepward.tasks.base import Place as Carried
from stepward.tasks.catalog import CATALOG, find_type
from stepward.workflow.documents.mending import UNKNOWN_TYPE
from stepward.workflow.documents.names import MAY_BE_NULL, task_names
from stepward.workflow.documents.notes import Notes, Place

_TELLING: Final = {
    "agent": "agent",
    "tool": "tool",
    "workflow": "subworkflow",
    "test": "condition",
    "then": "condition",
    "otherwise": "condition",
    "items": "foreach",
    "max_items": "foreach",
    "chunk_size": "foreach",
    "max_iterations": "loop",
    "question": "human",
    "url": "webhook",
    "wait_for_call": "webhook",
    "event": "event",
    "seconds": "wait",
}
_GROUP: Final = "parallel"
"""Short for a group of tasks; the long form keeps them in `tasks`, which loops have too."""
_HOLD_TASKS: Final = frozenset({Carried.BODY, Carried.GROUP})


def telling() -> dict[str, str]:
    """Give the fields that only tasks of one type have, and that type."""
    return dict(_TELLING)


def tell_type(said: dict[str, Any], task: Mapping[str, Any], place: Place, notes: Notes) -> None:
    """Give a task its type where it is told; `task` is what was written, `said` the same by the house's names.

    Fields that tell different types are a problem: whichever were followed, the other would vanish.
    """
    told = _told_by(said, task)
    if "type" in said:
        _hold_to_type(said["type"], task, place, notes)
    elif len(told) > 1:
        (first, by), (second, other) = list(told.items())[:2]
        detail = f"{by!r} makes it a task of type {first}, and {other!r} one of type {second}"
        fix = f"add `type`: one of {', '.join(CATALOG)}; and keep only the fields that it has"
        notes.tell(place, "type", "missing-field", detail, fix)
        said["type"] = UNKNOWN_TYPE
    elif found := next(iter(told), None) or _by_shared_fields(said):
        said["type"] = found
        _hold_to_type(found, task, place, notes)


def _told_by(said: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, str]:
    """Give the types that are told, each with the field, as it was written, that tells it."""
    names = task_names(dict(task))
    written = [one for one, value in task.items() if value is not None or names.get(one, one) in MAY_BE_NULL]
    told: dict[str, str] = {}
    for one in written:
        name = names.get(one, one)
        kind = _GROUP if one == _GROUP else _TELLING.get(name) if name in said else None
        if kind:
            told.setdefault(kind, one)
    return told


def _by_shared_fields(said: Mapping[str, Any]) -> str | None:
    """Tell the type by fields that several types have, where no field of one type alone is there."""
    if "tasks" in said:
        return "loop" if "until" in said else _GROUP
    if "until" in said:
        return "wait"
    return "transform" if "output" in said else None


def _hold_to_type(kind: Any, task: Mapping[str, Any], place: Place, notes: Notes) -> None:
    """Find the short forms of tasks within where the type has none, or not by that name."""
    if not isinstance(kind, str) or kind not in CATALOG:
        return
    holds = find_type(kind).place in _HOLD_TASKS
    for name in (_GROUP, "do"):
        if task.get(name) is not None and (not holds or (name == _GROUP and kind != _GROUP)):
            fix = "write its tasks below `do`" if holds else f"remove {name!r}"
            notes.tell(place, name, "unknown-field", f"a task of type {kind} has no field {name!r}", fix)
