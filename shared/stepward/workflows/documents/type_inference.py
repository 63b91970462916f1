"""Infer the type of a task that does not name it from the fields it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stepward.tasks.base import Place as Carried
from stepward.tasks.catalog import CATALOG, find_type
from stepward.workflows.documents.aliases import MAY_BE_NULL, TASK_NAMES, task_names
from stepward.workflows.documents.definition import UNKNOWN_TYPE
from stepward.workflows.documents.short_forms import Location, SourceMap

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


def type_markers() -> dict[str, str]:
    """Give the fields that only tasks of one type have, and that type."""
    return dict(_TELLING)


def infer_type(
    said: dict[str, Any], task: Mapping[str, Any], location: Location, source_map: SourceMap
) -> None:
    """Give a task its type where it is told; `task` is what was written, `said` the same by the house's names.

    Fields that tell different types are a problem: whichever were followed, the other would vanish.
    """
    told = _inferred_by(said, task)
    if "type" in said:
        _hold_to_type(said["type"], task, location, source_map)
    elif len(told) > 1:
        (first, by), (second, other) = list(told.items())[:2]
        detail = f"{by!r} makes it a task of type {first}, and {other!r} one of type {second}"
        fix = f"add `type`: one of {', '.join(CATALOG)}; and keep only the fields that it has"
        source_map.report(location, "type", "missing-field", detail, fix)
        said["type"] = UNKNOWN_TYPE
    elif found := next(iter(told), None) or _by_shared_fields(said):
        said["type"] = found
        _hold_to_type(found, task, location, source_map)


def _inferred_by(said: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, str]:
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


def _hold_to_type(kind: Any, task: Mapping[str, Any], location: Location, source_map: SourceMap) -> None:
    """Find the short forms of tasks within where the type has none, or not by that name."""
    if not isinstance(kind, str) or kind not in CATALOG:
        return
    holds = find_type(kind).place in _HOLD_TASKS
    for name in (_GROUP, "do"):
        if task.get(name) is not None and (not holds or (name == _GROUP and kind != _GROUP)):
            fix = "write its tasks below `do`" if holds else f"remove {name!r}"
            source_map.report(
                location, name, "unknown-field", f"a task of type {kind} has no field {name!r}", fix
            )


# The same rules as questions of JSON Schema.


Schema = dict[str, Any]


def type_questions() -> dict[str, Schema]:
    """How each type is told where it is not said, with the other names of what tells it."""
    said: dict[str, list[str]] = {}
    for field, name in type_markers().items():
        said.setdefault(name, []).extend(
            [field, *(other for other, house in TASK_NAMES.items() if house == field)]
        )
    told = {name: _has(fields) for name, fields in said.items()}
    anything = _has([field for fields in said.values() for field in fields])
    holds_tasks = _has(["tasks", "do", "parallel"])
    rest = {"not": anything}
    until, output = _has(["until"]), _has(["output"])
    told["parallel"] = {"allOf": [rest, holds_tasks, {"not": until}]}
    told["loop"] = {"anyOf": [told["loop"], {"allOf": [rest, holds_tasks, until]}]}
    told["wait"] = {"anyOf": [told["wait"], {"allOf": [rest, {"not": holds_tasks}, until]}]}
    told["transform"] = {"allOf": [rest, {"not": holds_tasks}, {"not": until}, output]}
    return told


def _has(fields: list[str]) -> Schema:
    return {"anyOf": [given(field) for field in fields]}


def given(field: str) -> Schema:
    """Ask whether a field is there; one that is null counts as not given."""
    if field in MAY_BE_NULL:
        return {"required": [field]}
    return {"required": [field], "properties": {field: {"not": {"type": "null"}}}}
