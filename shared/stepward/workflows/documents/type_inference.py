"""Infer the type of a task that does not name it from the fields it has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from stepward.tasks.catalog import CATALOG, all_types, find_type
from stepward.workflows.documents.aliases import MAY_BE_NULL, TASK_NAMES, task_names
from stepward.workflows.documents.definition import UNKNOWN_TYPE
from stepward.workflows.documents.short_forms import Location, SourceMap

_SHARED: Final = ("tasks", "until", "output")
"""Fields of several types, those first that decide before the others."""
_WITHIN: Final = "tasks"


@cache
def type_markers() -> dict[str, str]:
    """Give the fields that only tasks of one type have, and that type."""
    return {field: kind.name for kind in all_types() for field in kind.markers}


@cache
def _by_shared_fields() -> dict[str, tuple[str, ...]]:
    """List the types that are told by fields of several types: the first whose fields are all there is meant."""
    shared = [kind for kind in all_types() if kind.shared_markers]
    ranked = sorted(shared, key=lambda one: (_SHARED.index(one.shared_markers[0]), -len(one.shared_markers)))
    return {kind.name: kind.shared_markers for kind in ranked}


@cache
def _short_for_groups() -> dict[str, str]:
    """Give the names under which a type alone has its tasks within, and that type."""
    return {
        name: kind.name for kind in all_types() for name, field in kind.aliases.items() if field == _WITHIN
    }


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
    elif found := next(iter(told), None) or _inferred_by_shared_fields(said):
        said["type"] = found
        _hold_to_type(found, task, location, source_map)


def _inferred_by(said: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, str]:
    """Give the types that are told, each with the field, as it was written, that tells it."""
    names = task_names(dict(task))
    written = [one for one, value in task.items() if value is not None or names.get(one, one) in MAY_BE_NULL]
    told: dict[str, str] = {}
    for one in written:
        name = names.get(one, one)
        kind = _short_for_groups().get(one) or (type_markers().get(name) if name in said else None)
        if kind:
            told.setdefault(kind, one)
    return told


def _inferred_by_shared_fields(said: Mapping[str, Any]) -> str | None:
    """Tell the type by fields that several types have, where no field of one type alone is there."""
    for kind, fields in _by_shared_fields().items():
        if all(field in said for field in fields):
            return kind
    return None


def _hold_to_type(kind: Any, task: Mapping[str, Any], location: Location, source_map: SourceMap) -> None:
    """Find the short forms of tasks within where the type has none, or not by that name."""
    if not isinstance(kind, str) or kind not in CATALOG:
        return
    holds = find_type(kind).holds_tasks
    for name in (*_short_for_groups(), "do"):
        if task.get(name) is not None and (not holds or _short_for_groups().get(name, kind) != kind):
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
    rest = {"not": _has([field for fields in said.values() for field in fields])}
    before: list[str] = []
    for name, shared in _by_shared_fields().items():
        others = [field for field in before if field not in shared]
        question = {
            "allOf": [
                rest,
                *(_is_there(field) for field in shared),
                *({"not": _is_there(one)} for one in others),
            ]
        }
        told[name] = {"anyOf": [told[name], question]} if name in told else question
        before += [field for field in shared if field not in before]
    return told


def _is_there(field: str) -> Schema:
    """Ask for a field by any of the names that all tasks know it by."""
    others = [name for name, house in TASK_NAMES.items() if house == field]
    return _has([field, *others])


def _has(fields: list[str]) -> Schema:
    return {"anyOf": [given(field) for field in fields]}


def given(field: str) -> Schema:
    """Ask whether a field is there; one that is null counts as not given."""
    if field in MAY_BE_NULL:
        return {"required": [field]}
    return {"required": [field], "properties": {field: {"not": {"type": "null"}}}}
