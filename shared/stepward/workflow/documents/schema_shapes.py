"""Shapes what the models say of their fields into what editors show well: one description, one default, one choice."""

from __future__ import annotations

from typing import Any, Final

from stepward.workflow.documents.names import MAY_BE_NULL

Schema = dict[str, Any]

NULL: Final[Schema] = {"type": "null"}
UNOFFERED: Final[Schema] = {"doNotSuggest": True}
"""For language servers: the field is taken, but another one is offered in its place."""
_ALWAYS_SAID: Final = frozenset({"id", "version", "tasks"})
_SHOWN: Final = ("description", "default", "doNotSuggest")


def inlined(schema: Any, known: Schema | None = None) -> Any:
    """Put what a schema refers to in its place, as it will stand within another one, without the names of classes."""
    known = schema.get("$defs", {}) if known is None and isinstance(schema, dict) else known or {}
    if isinstance(schema, list):
        return [inlined(one, known) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        beside = {name: one for name, one in schema.items() if name != "$ref"}
        return inlined({**known[schema["$ref"].rpartition("/")[2]], **beside}, known)
    return {name: inlined(one, known) for name, one in schema.items() if not _is_noise(name, one)}


def _is_noise(name: str, value: Any) -> bool:
    """Whether an editor is better off without: what is not given is null to the model alone."""
    is_empty = value is None or value in ("", [], {})
    return name == "$defs" or (name == "title" and isinstance(value, str)) or (name == "default" and is_empty)


def any_of(schema: Schema, other: Schema) -> Schema:
    """Let something else stand for a value; what is shown of it stands outside, so that it is shown once."""
    shown = {name: one for name, one in schema.items() if name in _SHOWN}
    bare = {name: one for name, one in schema.items() if name not in _SHOWN}
    choices = bare.pop("anyOf", None) or [bare]
    return {"anyOf": [*choices, *([] if other in choices else [other])], **shown}


def maybe_expression(schema: Schema, expression: Schema | None) -> Schema:
    """Let a list of one name be that name, and an expression stand where the type evaluates it."""
    if schema.get("type") == "array" and schema["items"].get("type") == "string":
        return any_of(schema, {"type": "string"})
    return any_of(schema, expression) if expression and schema.get("type") else schema


def described(fields: Schema, words: dict[str, str]) -> Schema:
    """Say what fields are for."""
    return {
        name: {**one, **({"description": words[name]} if name in words else {})}
        for name, one in fields.items()
    }


def or_null(fields: Schema) -> Schema:
    """Let a field be null, which counts as not given."""
    return {
        name: one if name in MAY_BE_NULL | _ALWAYS_SAID or not one.keys() - _SHOWN else _nullable(one)
        for name, one in fields.items()
    }


def _nullable(schema: Schema) -> Schema:
    choices = schema.get("anyOf", [])
    if len(choices) == 2 and NULL in choices and "type" in choices[0]:
        schema = {**choices[0], **{name: one for name, one in schema.items() if name != "anyOf"}}
    if isinstance(schema.get("type"), str) and not schema.keys() & {"enum", "const"}:
        return {**schema, "type": [schema["type"], "null"]}
    return any_of(schema, NULL)


def with_other_names(fields: Schema, names: dict[str, str]) -> Schema:
    """Take the other names that people know for fields, without offering them."""
    other = {
        name: {**fields[house], "description": f"Another name of `{house}`.", **UNOFFERED}
        for name, house in names.items()
        if house in fields and name not in fields
    }
    return {**fields, **other}
