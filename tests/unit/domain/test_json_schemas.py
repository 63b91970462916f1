"""Schemas that people write are checked as a whole, and values are held to all of them."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.json_schemas import fault_of_schema, faults_of_value

SCHEMA = {
    "type": "object",
    "properties": {
        "size": {"enum": ["s", "m"]},
        "count": {"type": "integer", "minimum": 1, "exclusiveMaximum": 10},
        "name": {"type": ["string", "null"], "minLength": 2},
        "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
        "free": {"type": "object"},
        "fixed": {"const": 3},
    },
    "required": ["count"],
}


def faults(value: Any) -> list[str]:
    return list(faults_of_value(value, SCHEMA))


def test_what_fits_has_no_fault() -> None:
    assert fault_of_schema(SCHEMA) is None
    assert faults({"count": 9, "name": None, "tags": ["a"], "free": {"x": 1}, "size": "m", "fixed": 3}) == []


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ([], "arguments: it should be object"),
        ({}, "count: it is missing"),
        ({"count": True}, "count: it should be integer"),
        ({"count": 0}, "count: it is less than 1"),
        ({"count": 10}, "count: it is not less than 10"),
        ({"count": 1, "size": "l"}, "size: it should be one of 's', 'm'"),
        ({"count": 1, "name": "a"}, "name: it is shorter than 2"),
        ({"count": 1, "tags": ["a", "b", "c"]}, "tags: it has more items than 2"),
        ({"count": 1, "tags": [1]}, "tags[0]: it should be string"),
        ({"count": 1, "fixed": 4}, "fixed: it should be 3"),
        ({"count": 1, "cuont": 2}, "cuont: there is no such argument"),
    ],
)
def test_each_rule_is_held(value: Any, fault: str) -> None:
    assert faults(value) == [fault]


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("text", "no object"),
        ({"type": "string"}, "not `object`"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "a: there is no type 'text'"),
        ({"type": "object", "properties": {"a": {"pattern": "x"}}}, "a: 'pattern' cannot be checked"),
        ({"type": "object", "required": ["a"]}, "'a' is required but no property"),
        ({"type": "object", "properties": {"a": {"minimum": "1"}}}, "minimum is no number"),
        ({"type": "object", "additionalProperties": {}}, "true or false"),
        ({"type": "object", "properties": {"a": {"items": 3}}}, "a[] is no object"),
    ],
)
def test_a_schema_that_could_not_be_held_is_refused(schema: Any, says: str) -> None:
    assert says in (fault_of_schema(schema) or "")
