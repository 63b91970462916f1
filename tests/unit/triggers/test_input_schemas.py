"""A trigger starts nothing with an input that its agent does not take: it says so, in a trial and after an event."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.triggers.show import TryTrigger
from tests.support.builders import an_agent_body
from tests.unit.triggers.test_firing import Doors, an_event

SCHEMA = {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}


@pytest.fixture
def doors() -> Doors:
    doors = Doors()
    doors.world.register(an_agent_body(id="desk", input_schema=SCHEMA))
    doors.add(
        "orders",
        kind="event",
        agent="desk",
        event={"source": "shop"},
        input={"order_id": "{% $event.detail.order %}"},
    )
    return doors


@pytest.mark.parametrize("order", [7, None])
def test_an_event_whose_input_does_not_fit_is_told_and_starts_nothing(doors: Doors, order: Any) -> None:
    doors.receive(an_event(order=order))
    state = doors.state("orders")
    assert (state.started, doors.inputs()) == (0, [])
    assert state.last_error.code == "InvalidRequest"
    assert "the input does not fit: input.order_id: it should be string" in state.last_error.detail
    doors.receive(an_event(name="ev-2", order="SO-1"))
    assert doors.inputs() == [{"order_id": "SO-1"}]


def test_a_trial_shows_what_would_not_fit(doors: Doors) -> None:
    attempt = TryTrigger(doors.triggers, doors.define.startables)
    tried = attempt("acme", "orders", {"event": an_event(order=7)})
    assert (tried["would_start"], tried["error"]["code"]) == (None, "InvalidRequest")
    assert "input.order_id" in tried["error"]["detail"]
    fitting = attempt("acme", "orders", {"event": an_event(order="SO-1")})
    assert fitting["would_start"]["input"] == {"order_id": "SO-1"}
