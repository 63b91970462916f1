"""What could only go wrong at the first run is refused at registration, with the field and the fix."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.start import INPUT_LIMIT_BYTES
from stepward.domain.errors import Conflict, InvalidRequest, NotFound
from tests.support.builders import an_agent_body
from tests.support.driver import World

BROKEN = {"turns": [{"say": "{% $input. %}"}]}
TABLE = {"tool": "record_lookup", "config": {"source": "datasets/a.csv", "key": "id"}}


def refusal(body: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        World().register(body)
    assert refused.value.fix
    return refused.value


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"id": "../etc"}, "id"),
        ({"id": "A"}, "id"),
        ({"version": "1"}, "version"),
        ({"prompt": "   "}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"promt": "x"}, "promt"),
        ({"model": "gpt-nothing"}, "model"),
        ({"rehearsal": {"turns": []}}, "rehearsal.turns"),
        ({"rehearsal": BROKEN}, "rehearsal.turns.0.say"),
        ({"rehearsal": {"turns": [{"say": "a", "repeat": True}, {"say": "b"}]}}, "rehearsal"),
        ({"limits": {"max_iterations": 201}}, "limits.max_iterations"),
        ({"limits": {"cost_limit_usd": -1}}, "limits.cost_limit_usd"),
        ({"tools": [{"tool": "teleport"}]}, "tools.0.tool"),
        ({"tools": [{"tool": "calculate", "config": {"x": 1}}]}, "tools.0.config.x"),
        ({"tools": [{"tool": "record_lookup"}]}, "tools.0.config.source"),
        (
            {"tools": [{"tool": "record_lookup", "config": {"source": "../b/x.csv", "key": "id"}}]},
            "tools.0.config.source",
        ),
        (
            {"tools": [{"tool": "http_get", "config": {"allow": ["https://a.example"]}}]},
            "tools.0.config.allow",
        ),
        ({"tools": [{"tool": "calculate"}, {"tool": "calculate"}]}, "body"),
    ],
)
def test_a_wrong_definition_names_its_field(changed: dict[str, Any], field: str) -> None:
    assert refusal(an_agent_body(**changed)).field == field


def test_near_names_are_offered() -> None:
    assert "'prompt'" in str(refusal(an_agent_body(promt="x")).fix)
    assert "'max_iterations'" in str(refusal(an_agent_body(limits={"max_iteration": 3})).fix)
    assert "'concurrency'" in str(refusal(an_agent_body(tools=[{"tool": "calculate", "concurency": 3}])).fix)
    assert "'session_ttl_s'" in str(refusal(an_agent_body(memory_config={"session_ttl": 60})).fix)
    assert "'calculate'" in str(refusal(an_agent_body(tools=[{"tool": "calcluate"}])).fix)


def test_all_faults_come_at_once() -> None:
    assert {fault["field"] for fault in refusal({"id": "x y", "version": "1"}).errors} >= {
        "id",
        "version",
        "name",
        "prompt",
    }


@pytest.mark.parametrize("body", [[], "text", None, 3])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert refusal(body).field == "body"


def test_the_same_tool_may_be_used_twice_under_two_names() -> None:
    World().register(an_agent_body(tools=[{**TABLE, "name": "one"}, {**TABLE, "name": "two"}]))


def started(given: Any, agent: str = "helper") -> Any:
    world = World()
    world.register(an_agent_body())
    return world.start(agent, given)


@pytest.mark.parametrize("given", ["", "   ", {}, 7, None, ["a"], "x" * (INPUT_LIMIT_BYTES + 1)])
def test_a_wrong_input_names_itself(given: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        started(given)
    assert str(refused.value.field).startswith("input")


def test_an_unknown_agent_is_not_found() -> None:
    with pytest.raises(NotFound) as refused:
        started("hi", agent="nobody")
    assert refused.value.field == "agent_id"


@pytest.mark.parametrize("agent", ["../helper", "a/b", "HELPER", "h" * 100, "helper\n"])
def test_an_agent_id_with_a_path_in_it_is_refused(agent: str) -> None:
    with pytest.raises(InvalidRequest):
        started("hi", agent=agent)


def test_a_key_starts_one_run_and_refuses_another_body() -> None:
    world = World()
    world.register(an_agent_body())
    first = world.start(given="hi", key="k")
    assert world.start(given="hi", key="k") == first
    assert len(world.machine.started) == 1
    with pytest.raises(Conflict):
        world.start(given="ho", key="k")


def test_a_key_that_cannot_be_one_is_refused() -> None:
    world = World()
    world.register(an_agent_body())
    for key in ("", "x" * 201, "a\nb"):
        with pytest.raises(InvalidRequest):
            world.start(key=key)


def test_a_run_may_be_cancelled_twice() -> None:
    world = World()
    world.register(an_agent_body())
    key = world.start()
    world.cancel(key)
    assert world.machine.stopped
    assert world.show(key)["status"] == "CANCELLED"
    world.cancel(key)
    assert world.show(key)["status"] == "CANCELLED"


def test_a_run_that_ended_otherwise_cannot_be_cancelled() -> None:
    world = World()
    world.register(an_agent_body())
    key = world.start()
    world.advance(key)
    with pytest.raises(Conflict):
        world.cancel(key)
    assert world.machine.stopped == {}
