"""Which schemas are sent as strict, and how an answer's objects are closed."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.models.strict_schemas import allows_strict, closed

TEXT = {"type": "string"}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _nested(levels: int) -> dict[str, Any]:
    return _object(deeper=_nested(levels - 1)) if levels > 1 else _object()


@pytest.mark.parametrize(
    "schema",
    [
        _object(),
        _object(city=TEXT, at={"type": ["string", "null"], "format": "date-time", "description": "When."}),
        _object(many={"type": "array", "items": _object(n={"type": "integer", "minimum": 1}), "minItems": 1}),
        _object(kind={"enum": ["a", "b"]}, either={"anyOf": [TEXT, _object(x=TEXT)]}),
        _nested(5),
    ],
)
def test_what_strict_takes_is_strict(schema: dict[str, Any]) -> None:
    assert allows_strict(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        TEXT,
        {"anyOf": [_object()]},
        {**_object(city=TEXT), "required": []},
        {**_object(city=TEXT), "required": ["city", "town"]},
        {**_object(city=TEXT), "additionalProperties": True},
        {"type": "object", "properties": {}, "required": []},
        _object(city={"type": "string", "pattern": "(?=a)"}),
        _object(city={"type": "string", "default": "Ulm"}),
        _object(city={"type": "string", "format": "uri"}),
        _object(any={}),
        _object(any={"description": "Anything."}),
        _object(any=True),
        _object(map={"type": "object", "additionalProperties": TEXT}),
        _object(map={"type": ["object", "null"]}),
        _object(both={"allOf": [TEXT]}),
        _object(list={"type": "array", "items": [TEXT]}),
        _object(list={"type": "array", "items": {"type": "object"}}),
        _object(one={"anyOf": [TEXT, {"type": "object"}]}),
        {"$ref": "#/$defs/x", "$defs": {"x": _object()}},
        {"type": "object", "properties": ["city"]},
        _nested(7),
        _object(**{f"p{n}": TEXT for n in range(101)}),
        _object(kind={"enum": [str(n) for n in range(501)]}),
    ],
)
def test_what_it_might_not_take_is_not(schema: dict[str, Any]) -> None:
    assert not allows_strict(schema)


def test_objects_are_closed_where_nothing_is_said_and_order_is_kept() -> None:
    inner = {"properties": {"x": TEXT}, "type": "object"}
    schema = {
        "title": "T",
        "type": "object",
        "properties": {"b": {"type": "array", "items": inner}, "a": inner},
    }
    done = closed(schema)
    assert list(done) == ["title", "type", "properties", "additionalProperties"]
    assert list(done["properties"]) == ["b", "a"]
    assert done["properties"]["b"]["items"]["additionalProperties"] is False
    assert "additionalProperties" not in inner
    assert closed({**inner, "additionalProperties": TEXT})["additionalProperties"] == TEXT
