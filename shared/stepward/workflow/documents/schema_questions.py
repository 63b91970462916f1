"""How a JSON Schema asks which type a task is of that does not say it: by the fields that only that type has."""

from __future__ import annotations

from typing import Any

from stepward.workflow.documents.names import MAY_BE_NULL, TASK_NAMES
from stepward.workflow.documents.type_telling import telling

Schema = dict[str, Any]


def questions() -> dict[str, Schema]:
    """How each type is told where it is not said, with the other names of what tells it."""
    said: dict[str, list[str]] = {}
    for field, name in telling().items():
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
