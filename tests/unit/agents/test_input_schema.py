"""An agent says what it wants to be given, and every way to start a run holds the input to it."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.errors import InvalidRequest
from tests.support.builders import an_agent_body
from tests.support.driver import World

ORDER = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string", "minLength": 3},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"qty": {"type": "integer"}}}},
    },
    "required": ["order_id"],
}


def wanting(schema: Any = ORDER, **more: Any) -> dict[str, Any]:
    return an_agent_body(**{"id": "desk", "input_schema": schema, **more})


def started(given: Any, schema: Any = ORDER) -> InvalidRequest | None:
    world = World()
    world.register(wanting(schema))
    try:
        world.start("desk", given)
    except InvalidRequest as error:
        assert world.runtime.heads == {}
        return error
    return None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"order": "SO-1"}, "input.order_id"),
        ({"order_id": 7}, "input.order_id"),
        ({"order_id": "S"}, "input.order_id"),
        ({"order_id": "SO-1", "lines": [{"qty": 1}, {"qty": "2"}]}, "input.lines[1].qty"),
        ("SO-1", "input"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_its_path(given: Any, field: str) -> None:
    error = started(given)
    assert error is not None
    assert (error.field, error.http_status) == (field, 400)
    assert "GET /agents/desk" in str(error.fix)
    assert [one["field"] for one in error.errors] == [field]


@pytest.mark.parametrize("given", [{"order_id": "SO-1"}, {"order_id": "SO-1", "note": "more", "lines": []}])
def test_an_input_that_fits_starts_a_run(given: Any) -> None:
    assert started(given) is None


def test_all_that_does_not_fit_is_told() -> None:
    error = started({"lines": [{"qty": 1.5}, 3]})
    assert error is not None
    assert [one["field"] for one in error.errors] == [
        "input.order_id",
        "input.lines[0].qty",
        "input.lines[1]",
    ]


def test_a_text_may_be_wanted_and_more_may_be_forbidden() -> None:
    assert started("hello", {"type": "string", "minLength": 3}) is None
    assert started("hi", {"type": "string", "minLength": 3}) is not None
    assert started({"a": 1}, {"type": ["object", "string"]}) is None
    closed = started({"order_id": "SO-1", "note": "x"}, {**ORDER, "additionalProperties": False})
    assert closed is not None
    assert closed.field == "input.note"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objekt"},
        {"type": "object", "patternProperties": {}},
        {"type": "object", "properties": {"a": {"type": "text"}}},
        {"type": "object", "required": ["a"]},
        {"type": "array"},
        {"type": "integer"},
        {},
    ],
)
def test_a_schema_that_cannot_be_held_is_refused_when_it_is_registered(schema: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        World().register(wanting(schema))
    assert refused.value.field == "input_schema"
    assert refused.value.fix
    assert "input_schema" in refused.value.detail


def test_a_schema_that_is_none_at_all_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        World().register(wanting("object"))
    assert refused.value.field == "input_schema"


def test_a_model_that_asks_with_a_wrong_input_is_told_and_may_ask_again() -> None:
    world = World()
    world.register(wanting(rehearsal={"turns": [{"say": "{% $input.order_id & ' is sent' %}"}]}))
    wrong, right = (
        {"tool": "ask_desk", "arguments": {"input": {name: "SO-1"}}} for name in ("order", "order_id")
    )
    turns = [
        {"call": [wrong]},
        {"call": [right]},
        {"say": "{% $results.content.(detail ? detail : output) %}"},
    ]
    run = world.run(an_agent_body(id="asker", tools=[{"agent": "desk"}], rehearsal={"turns": turns}))
    assert run["status"] == "COMPLETED"
    assert "input.order_id: it is missing" in run["output"]
    assert "SO-1 is sent" in run["output"]


def test_the_schema_is_shown_with_the_definition() -> None:
    world = World()
    world.register(wanting())
    found = world.registry.agent("acme", "desk", None)
    assert found is not None
    assert found.definition.input_schema == ORDER
