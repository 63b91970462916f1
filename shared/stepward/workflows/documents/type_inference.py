"""Infer the type of a task that does not name it from the fields that it has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from stepward.tasks.catalog import CATALOG, all_types, find_type
from stepward.workflows.documents.aliases import MAY_BE_NULL, TASK_NAMES, task_names
from stepward.workflows.documents.definition import UNKNOWN_TYPE
from stepward.workflows.documents.schema_fields import Schema
from stepward.workflows.documents.short_forms import Location, SourceMap

_SHARED: Final = ("tasks", "until", "output")
"""Fields that several types have, in the order in which they are tried."""
_WITHIN: Final = "tasks"


@cache
def type_markers() -> dict[str, str]:
    """Return the fields that only tasks of one type have, mapped to that type."""
    return {field: kind.name for kind in all_types() for field in kind.markers}


@cache
def _by_shared_fields() -> dict[str, tuple[str, ...]]:
    """Map types to the fields shared with others that imply them, in order of precedence.

    The first type all of whose fields are there is meant.
    """
    shared = [kind for kind in all_types() if kind.shared_markers]
    ranked = sorted(shared, key=lambda one: (_SHARED.index(one.shared_markers[0]), -len(one.shared_markers)))
    return {kind.name: kind.shared_markers for kind in ranked}


@cache
def _short_for_groups() -> dict[str, str]:
    """Map the aliases of `tasks` that only one type has to that type."""
    return {
        name: kind.name for kind in all_types() for name, field in kind.aliases.items() if field == _WITHIN
    }


def infer_type(
    said: dict[str, Any], task: Mapping[str, Any], location: Location, source_map: SourceMap
) -> None:
    """Set a task's type if its fields imply one, and report a contradiction.

    Args:
        said: The task by its normalized names; its `type` is set.
        task: The task as it was written.
        location: Where it is.
        source_map: Collects problems. Fields that imply different types are one: by following either, the other
            would be lost.
    """
    implied = _inferred_by(said, task)
    if "type" in said:
        _hold_to_type(said["type"], task, location, source_map)
    elif len(implied) > 1:
        (first, by), (second, other) = list(implied.items())[:2]
        detail = f"{by!r} makes it a task of type {first}, and {other!r} one of type {second}"
        fix = f"add `type`: one of {', '.join(CATALOG)}; and keep only the fields that it has"
        source_map.report(location, "type", "missing-field", detail, fix)
        said["type"] = UNKNOWN_TYPE
    elif found := next(iter(implied), None) or _inferred_by_shared_fields(said):
        said["type"] = found
        _hold_to_type(found, task, location, source_map)


def _inferred_by(said: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, str]:
    """Return the types that are implied, each with the field, as written, that implies it."""
    names = task_names(dict(task))
    written = [one for one, value in task.items() if value is not None or names.get(one, one) in MAY_BE_NULL]
    implied: dict[str, str] = {}
    for one in written:
        name = names.get(one, one)
        kind = _short_for_groups().get(one) or (type_markers().get(name) if name in said else None)
        if kind:
            implied.setdefault(kind, one)
    return implied


def _inferred_by_shared_fields(said: Mapping[str, Any]) -> str | None:
    """Infer the type from fields that several types have; None if no type fits."""
    for kind, fields in _by_shared_fields().items():
        if all(field in said for field in fields):
            return kind
    return None


def _hold_to_type(kind: Any, task: Mapping[str, Any], location: Location, source_map: SourceMap) -> None:
    """Report aliases of `tasks` that the type does not have."""
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


def type_questions() -> dict[str, Schema]:
    """Return a schema for each type that holds where its fields imply it."""
    said: dict[str, list[str]] = {}
    for field, name in type_markers().items():
        said.setdefault(name, []).extend(
            [field, *(other for other, house in TASK_NAMES.items() if house == field)]
        )
    implied = {name: _has(fields) for name, fields in said.items()}
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
        implied[name] = {"anyOf": [implied[name], question]} if name in implied else question
        before += [field for field in shared if field not in before]
    return implied


def _is_there(field: str) -> Schema:
    """Return a schema that requires a field by any of its aliases."""
    others = [name for name, house in TASK_NAMES.items() if house == field]
    return _has([field, *others])


def _has(fields: list[str]) -> Schema:
    return {"anyOf": [given(field) for field in fields]}


def given(field: str) -> Schema:
    """Return a schema that requires a field; one that is null counts as not given."""
    if field in MAY_BE_NULL:
        return {"required": [field]}
    return {"required": [field], "properties": {field: {"not": {"type": "null"}}}}
