"""A schema that no provider holds its models to is refused with its place and the fix."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.models.output_schemas import output_faults

TEXT = {"type": "string"}


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = an_object(last=TEXT)
    for _ in range(levels - 1):
        schema = an_object(inner=schema)
    return schema


def fields(schema: Any, provider: str = "openai") -> list[str]:
    found = list(output_faults(schema, provider))
    assert all(one.detail and one.fix for one in found)
    return [one.field for one in found]


@pytest.mark.parametrize("provider", ["anthropic", "openai", "bedrock"])
@pytest.mark.parametrize(
    "schema",
    [
        an_object(city=TEXT),
        {**an_object(city=TEXT), "required": ["city"], "additionalProperties": False},
        an_object(lines={"type": "array", "items": an_object(sku=TEXT, count={"type": ["integer", "null"]})}),
        an_object(level={"enum": ["low", "high", 3, None]}, kind={"const": "order"}),
        an_object(score={"type": "number", "minimum": 0, "maximum": 1}),
        nested(10),
    ],
)
def test_what_providers_take_is_taken(schema: dict[str, Any], provider: str) -> None:
    assert fields(schema, provider) == []


@pytest.mark.parametrize("provider", ["anthropic", "openai", "bedrock"])
@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"type": "array", "items": TEXT}, "output_schema"),
        ({"type": ["object", "null"], "properties": {"a": TEXT}}, "output_schema"),
        ({}, "output_schema"),
        ({"$ref": "#"}, "output_schema"),
        ({**an_object(a={"$ref": "#"})}, "output_schema"),
        ({"anyOf": [an_object(a=TEXT)]}, "output_schema"),
        ({"type": "object"}, "output_schema"),
        ({**an_object(a=TEXT), "additionalProperties": True}, "output_schema"),
        (an_object(a={}), "output_schema.properties.a"),
        (an_object(a={"description": "anything"}), "output_schema.properties.a"),
        (an_object(a={"type": "object"}), "output_schema.properties.a"),
        (an_object(a={"type": "array"}), "output_schema.properties.a"),
        (an_object(a={"type": "array", "items": {}}), "output_schema.properties.a.items"),
        (an_object(a={"enum": []}), "output_schema.properties.a"),
        (an_object(a={"enum": [{"b": 1}]}), "output_schema.properties.a"),
        (an_object(a={"const": [1]}), "output_schema.properties.a"),
        (nested(30), "output_schema"),
    ],
)
def test_what_none_takes_is_refused_with_its_place(schema: Any, field: str, provider: str) -> None:
    assert fields(schema, provider) == [field]


def test_every_fault_is_told() -> None:
    assert fields(an_object(a={}, b={"type": "array"})) == [
        "output_schema.properties.a",
        "output_schema.properties.b",
    ]


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        (nested(11), "output_schema"),
        (an_object(**{f"n{number}": TEXT for number in range(5_001)}), "output_schema"),
        (an_object(a={"enum": list(range(1_001))}), "output_schema"),
        (an_object(a={"const": "x" * 120_000}), "output_schema"),
        (an_object(a={"enum": [f"{number:061d}" for number in range(251)]}), "output_schema.properties.a"),
    ],
)
def test_what_openai_finds_too_large_another_may_take(schema: dict[str, Any], field: str) -> None:
    assert fields(schema) == [field]
    assert fields(schema, "anthropic") == []
