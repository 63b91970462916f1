"""Refuses schemas of answers that no provider supports.

What may be written at all is what `stepward.domain.json_schemas` checks: no references, so nothing recursive, and no
unions. Providers take less: both vendors close every object, so that a name which is not in `properties` can never come.
How many names, values and levels there may be is OpenAI's list of supported schemas (structured outputs, 2026-02).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from stepward.domain.json_schemas import Schema, fault_of_schema

_FIX: Final = "write a JSON Schema of an object, as in {type: object, properties: {city: {type: string}}, required: [city]}"


class SchemaProblem(NamedTuple):
    """What is wrong with a schema: where in the agent's file, what, and what to do."""

    field: str
    detail: str
    fix: str


@dataclass(frozen=True)
class _Bounds:
    """How large a schema may be."""

    properties: int
    object_levels: int
    enum_values: int
    chars: int
    """All names and all values of enums and consts, together."""
    many_values: int
    chars_of_many: int
    """The values of one enum that has more than `many_values` of them."""


_BOUNDS: Final = {
    "openai": _Bounds(
        properties=5_000,
        object_levels=10,
        enum_values=1_000,
        chars=120_000,
        many_values=250,
        chars_of_many=15_000,
    )
}


class _Part(NamedTuple):
    path: str
    schema: Schema
    level: int
    """How many objects it lies in, itself included."""


def output_faults(schema: Any, provider: str) -> Iterator[SchemaProblem]:
    """Find what is wrong with an agent's `output_schema`.

    Args:
        schema: As the agent's file has it.
        provider: The provider that carries the calls.

    Returns:
        Every fault with its place in the file; none for a schema that the provider takes.
    """
    if fault := fault_of_schema(schema, "output_schema"):
        yield SchemaProblem("output_schema", fault, _FIX)
        return
    if schema.get("type") != "object":
        yield SchemaProblem(
            "output_schema", "output_schema: an answer is an object, so its `type` is object", _FIX
        )
        return
    parts = list(_parts("output_schema", schema, 0))
    for part in parts:
        yield from _of_part(part)
    if bounds := _BOUNDS.get(provider):
        yield from _too_large(parts, bounds, provider)


def _parts(path: str, schema: Schema, level: int) -> Iterator[_Part]:
    level += schema.get("type") == "object"
    yield _Part(path, schema, level)
    for name, one in schema.get("properties", {}).items():
        yield from _parts(f"{path}.properties.{name}", one, level)
    if "items" in schema:
        yield from _parts(f"{path}.items", schema["items"], level)


def _of_part(part: _Part) -> Iterator[SchemaProblem]:
    for check in _CHECKS:
        if said := check(part.schema):
            detail, fix = said
            yield SchemaProblem(part.path, f"{part.path} {detail}", fix)


def _untyped(schema: Schema) -> tuple[str, str] | None:
    if schema.keys() & {"type", "enum", "const"}:
        return None
    return "does not say of what type it is", "give it a `type`, an `enum` or a `const`"


def _open_object(schema: Schema) -> tuple[str, str] | None:
    if not _may_be("object", schema):
        return None
    if schema.get("additionalProperties"):
        return (
            "lets any name in, and no provider holds a model to that",
            "name its `properties` and remove `additionalProperties`; or make it a list of {name, value}",
        )
    if not schema.get("properties"):
        return "is an object without `properties`, which would stay empty", "name its `properties`"
    return None


def _untyped_list(schema: Schema) -> tuple[str, str] | None:
    if not _may_be("array", schema) or "items" in schema:
        return None
    return "is a list of anything, and no provider holds a model to that", "say of what: give it `items`"


def _values(schema: Schema) -> tuple[str, str] | None:
    found = _literals(schema)
    if "enum" in schema and not schema["enum"]:
        return "has an `enum` without values, so nothing fits", "name the values"
    if any(isinstance(one, dict | list) for one in found):
        return "names objects or lists as values", "use texts, numbers, true, false or null as values"
    return None


def _may_be(kind: str, schema: Schema) -> bool:
    types = schema.get("type", [])
    return kind in (types if isinstance(types, list) else [types])


def _literals(schema: Schema) -> list[Any]:
    return [*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])]


def _too_large(parts: list[_Part], bounds: _Bounds, provider: str) -> Iterator[SchemaProblem]:
    names = [name for part in parts for name in part.schema.get("properties", {})]
    values = [one for part in parts for one in _literals(part.schema)]
    counts = (
        (len(names), bounds.properties, "properties"),
        (max(part.level for part in parts), bounds.object_levels, "levels of objects"),
        (sum(len(part.schema.get("enum", [])) for part in parts), bounds.enum_values, "values in enums"),
        (_chars(names) + _chars(values), bounds.chars, "characters in names and values"),
    )
    for count, most, what in counts:
        if count > most:
            detail = f"output_schema has {count} {what}, {provider} takes at most {most}"
            yield SchemaProblem("output_schema", detail, "ask for less in one answer")
    for part in parts:
        listed = part.schema.get("enum", [])
        if len(listed) > bounds.many_values and _chars(listed) > bounds.chars_of_many:
            detail = f"{part.path} has more than {bounds.many_values} values of more than {bounds.chars_of_many} characters"
            yield SchemaProblem(part.path, detail, "name fewer or shorter values")


def _chars(values: list[Any]) -> int:
    return sum(len(one) for one in values if isinstance(one, str))


_CHECKS: Final[tuple[Callable[[Schema], tuple[str, str] | None], ...]] = (
    _untyped,
    _open_object,
    _untyped_list,
    _values,
)
