"""Checks which JSON Schemas a vendor can enforce token by token, which is called strict.

OpenAI's list of what strict takes (structured outputs): every object closed, every property required, and few keywords.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_KEYWORDS: Final = frozenset({
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "title", "description",
    "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
})  # fmt: skip
_FORMATS: Final = frozenset({
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
})  # fmt: skip
_TYPED: Final = frozenset({"type", "enum", "const", "anyOf"})
_MOST_LEVELS: Final = 5
_MOST_PROPERTIES: Final = 100
_MOST_VALUES: Final = 500
"""The bounds of the first models with strict schemas; later ones take more."""


def allows_strict(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema can be sent as strict, unchanged.

    Args:
        schema: The JSON Schema of a tool's parameters or of an answer.

    Returns:
        Whether it is an object's and every part of it is taken. Where in doubt it is not: a schema that is not strict is
        a strong hint to the model, while a strict one that is not taken fails the call.
    """
    parts = list(_parts(schema, 1))
    properties = sum(len(part.get("properties", ())) for part, _ in parts)
    values = sum(len(part.get("enum", ())) for part, _ in parts)
    return (
        schema.get("type") == "object"
        and all(level <= _MOST_LEVELS and _is_taken(part) for part, level in parts)
        and properties <= _MOST_PROPERTIES
        and values <= _MOST_VALUES
    )


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Close every object of a schema to names beside its properties.

    Args:
        schema: The JSON Schema of an answer. Vendors require `additionalProperties`, which an author may leave out.

    Returns:
        A copy in the same order, in which each object that says nothing about other names has none.
    """
    found: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "properties" and isinstance(value, Mapping):
            found[name] = {key: _closed(one) for key, one in value.items()}
        elif name in ("items", "anyOf"):
            found[name] = [_closed(one) for one in value] if isinstance(value, list) else _closed(value)
        else:
            found[name] = value
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def _closed(value: Any) -> Any:
    return closed(value) if isinstance(value, Mapping) else value


def _parts(schema: Any, level: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Yield a schema and its subschemas with their levels; no schema counts as one not taken."""
    if not isinstance(schema, Mapping) or not isinstance(schema.get("properties", {}), Mapping):
        yield {"not": {}}, level
        return
    yield schema, level
    if level > _MOST_LEVELS:
        return
    below = [*schema.get("properties", {}).values(), *_listed(schema.get("anyOf"))]
    for one in [*below, *([schema["items"]] if "items" in schema else [])]:
        yield from _parts(one, level + 1)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_taken(part: Mapping[str, Any]) -> bool:
    if not part.keys() <= _KEYWORDS or not part.keys() & _TYPED:
        return False
    if "format" in part and part["format"] not in _FORMATS:
        return False
    if "properties" not in part and "object" not in _types(part):
        return True
    return part.get("additionalProperties") is False and set(part.get("properties", ())) == set(
        part.get("required", ())
    )


def _types(part: Mapping[str, Any]) -> list[Any]:
    named = part.get("type")
    return named if isinstance(named, list) else [named]
