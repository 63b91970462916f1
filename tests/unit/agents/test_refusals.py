"""All that is wrong with an agent's definition is told at once, with the field and the fix of each."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.errors import InvalidRequest
from tests.support.builders import an_agent_body
from tests.support.driver import World

BAD: dict[str, Any] = {
    "id": "Order Desk",
    "name": "Order desk",
    "version": 1,
    "model": "gpt-4",
    "tools": [
        {"tool": "record_lokup", "name": "find_order", "config": {"src": "datasets/orders.csv"}},
        {"tool": "order_tools.nope"},
        {"tool": "record_lookup", "name": "two", "config": {"src": "datasets/orders.csv"}},
        {"agent": "nobody"},
    ],
    "limits": {"max_iterations": 500, "cost_limit_usd": -1},
    "rehearsal": {"turns": [{"call": [{"tool": "find_orderr", "arguments": {"key": "{% $input. %}"}}]}]},
}


def refusal(body: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        World().register(body)
    return caught.value


def fields(body: Any) -> set[str]:
    error = refusal(body)
    assert all(one["detail"] and one["fix"] and one["code"] for one in error.errors)
    return {one["field"] for one in error.errors}


def test_faults_of_the_model_and_of_the_checks_come_together() -> None:
    assert fields(BAD) == {
        "id", "version", "prompt", "limits.max_iterations", "limits.cost_limit_usd", "model", "tools.0.tool",
        "tools.1.tool", "tools.2.config.source", "tools.2.config.key", "tools.2.config.src", "tools.3.config.agent",
        "rehearsal.turns.0.call.0.tool", "rehearsal.turns.0.call.0.arguments.key",
    }  # fmt: skip


def test_a_definition_that_fits_its_model_hears_of_all_steps_too() -> None:
    body = {**BAD, **{name: an_agent_body()[name] for name in ("id", "version", "prompt")}, "limits": {}}
    error = refusal(body)
    assert "(and 8 more)" in error.detail
    assert {"model", "tools.0.tool", "tools.1.tool", "tools.3.config.agent"} <= {
        one["field"] for one in error.errors
    }


def test_a_single_fault_is_the_refusal_itself() -> None:
    error = refusal(an_agent_body(model="gpt-nothing"))
    assert (error.field, error.errors) == ("model", [])


def test_what_was_left_out_is_not_found_missing() -> None:
    body = an_agent_body(
        tols=[{"tool": "calculate"}], rehearsal={"turns": [{"call": [{"tool": "calculate"}]}]}
    )
    error = refusal(body)
    assert [(one["field"], one["code"]) for one in error.errors] == [("tols", "unknown-field")]
    assert error.fix == "did you mean 'tools'?"
    assert fields(an_agent_body(rehearsal={"turns": []})) == {"rehearsal.turns"}
    assert fields(an_agent_body(model=7, temperature=1)) == {"model"}
    call = {"turns": [{"call": [{"tool": "calculate"}]}]}
    assert fields(an_agent_body(tools=[{"tool": 7, "name": "calculate"}], rehearsal=call)) == {"tools.0.tool"}


def test_tools_keep_their_places_when_one_cannot_be_read() -> None:
    tools = [{"tool": 7}, {"tool": "teleport"}, {"nothing": 1}, {"tool": "calculate", "config": {"x": 1}}]
    assert fields(an_agent_body(tools=tools)) >= {
        "tools.0.tool",
        "tools.1.tool",
        "tools.2",
        "tools.3.config.x",
    }


@pytest.mark.parametrize(
    "body", [{}, {"tools": 7}, {"tools": [7]}, {"rehearsal": 3, "limits": []}, {"id": []}]
)
def test_whatever_is_sent_is_refused_with_reasons(body: Any) -> None:
    assert fields(body)


def test_several_agents_that_are_not_there_are_all_named() -> None:
    body = an_agent_body(tools=[{"agent": "one-a"}, {"agent": "two-b"}], dependencies=["three-c"])
    assert fields(body) == {"tools.0.config.agent", "tools.1.config.agent", "dependencies.0"}
