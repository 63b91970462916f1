"""The part of JSON Schema that people may use for arguments and that is enforced.

Everything outside of that part is refused by name, because a rule that is not checked would hold by chance
only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Schema = dict[str, Any]

_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}
_SAID_ONLY: Final = frozenset({"title", "description", "default", "examples", "format"})
_CHECKED: Final = frozenset(
    {"type", "enum", "const", "properties", "required", "additionalProperties", "items", "minItems", "maxItems",
     "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
)  # fmt: skip
_SIZES: Final[Mapping[str, tuple[type, Callable[[Any, Any], bool], str]]] = {
    "minLength": (str, lambda value, limit: len(value) >= limit, "is shorter than"),
    "maxLength": (str, lambda value, limit: len(value) <= limit, "is longer than"),
    "minItems": (list, lambda value, limit: len(value) >= limit, "has fewer items than"),
    "maxItems": (list, lambda value, limit: len(value) <= limit, "has more items than"),
}
_LIMITS: Final[Mapping[str, tuple[Callable[[Any, Any], bool], str]]] = {
    "minimum": (lambda value, limit: value >= limit, "is less than"),
    "maximum": (lambda value, limit: value <= limit, "is more than"),
    "exclusiveMinimum": (lambda value, limit: value > limit, "is not more than"),
    "exclusiveMaximum": (lambda value, limit: value < limit, "is not less than"),
}
MAX_DEPTH: Final = 20


def fault_of_schema(schema: Any, path: str = "", depth: int = 0) -> str | None:
    """Return what is wrong with a schema of arguments; None if all of it is supported."""
    where = path or "the schema"
    if not isinstance(schema, dict):
        return f"{where} is no object"
    if depth > MAX_DEPTH:
        return f"{where} is nested deeper than {MAX_DEPTH} levels"
    if unknown := sorted(schema.keys() - _SAID_ONLY - _CHECKED):
        return f"{where}: {unknown[0]!r} cannot be checked; use {', '.join(sorted(_CHECKED))}"
    if not path and schema.get("type") != "object":
        return "the schema's type is not `object`"
    return _fault_of_words(schema, where) or _fault_inside(schema, path, depth)


def _fault_of_words(schema: Schema, where: str) -> str | None:
    types = schema.get("type", [])
    for name in types if isinstance(types, list) else [types]:
        if not isinstance(name, str) or name not in _TYPES:
            return f"{where}: there is no type {name!r}"
    for word in (*_SIZES, *_LIMITS):
        if word in schema and not _TYPES["number"](schema[word]):
            return f"{where}: {word} is no number"
    required, properties = schema.get("required", []), schema.get("properties", {})
    if not isinstance(required, list) or not isinstance(properties, dict):
        return f"{where}: `required` is a list and `properties` an object"
    if missing := [name for name in required if not isinstance(name, str) or name not in properties]:
        return f"{where}: {missing[0]!r} is required but no property"
    if not isinstance(schema.get("enum", []), list) or not isinstance(
        schema.get("additionalProperties", False), bool
    ):
        return f"{where}: `enum` is a list and `additionalProperties` true or false"
    return None


def _fault_inside(schema: Schema, path: str, depth: int) -> str | None:
    inside = [(f"{path}.{name}".lstrip("."), one) for name, one in schema.get("properties", {}).items()]
    if "items" in schema:
        inside.append((f"{path}[]", schema["items"]))
    for name, one in inside:
        if fault := fault_of_schema(one, name, depth + 1):
            return fault
    return None


def faults_of_value(value: Any, schema: Schema, path: str = "") -> Iterator[str]:
    """Yield, one fault after the other, where a value does not fit a checked schema."""
    where = path or "arguments"
    types = schema.get("type", [])
    names = types if isinstance(types, list) else [types]
    if names and not any(_TYPES[name](value) for name in names):
        yield f"{where}: it should be {' or '.join(names)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: it should be one of {', '.join(map(repr, schema['enum']))}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: it should be {schema['const']!r}"
    yield from _out_of_bounds(value, schema, where)
    if isinstance(value, dict):
        yield from _faults_of_object(value, schema, path)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from faults_of_value(item, schema["items"], f"{path}[{index}]")


def _out_of_bounds(value: Any, schema: Schema, where: str) -> Iterator[str]:
    for word, (kind, holds, fault) in _SIZES.items():
        if word in schema and isinstance(value, kind) and not holds(value, schema[word]):
            yield f"{where}: it {fault} {schema[word]}"
    for word, (is_within, fault) in _LIMITS.items():
        if word in schema and _TYPES["number"](value) and not is_within(value, schema[word]):
            yield f"{where}: it {fault} {schema[word]}"


def _faults_of_object(value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
    """Yield an object's faults; unknown names are faults unless the schema allows them.

    A misspelt argument would otherwise be ignored.
    """
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{_within(path, name)}: it is missing"
    for name, item in value.items():
        if name in properties:
            yield from faults_of_value(item, properties[name], _within(path, name))
        elif not schema.get("additionalProperties", not properties and bool(path)):
            yield f"{_within(path, name)}: there is no such argument"


def _within(path: str, name: str) -> str:
    shown = name if re.fullmatch(r"[\w-]{1,80}", name) else repr(name[:80])
    return f"{path}.{shown}" if path else shown
