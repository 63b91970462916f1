"""Runs that are longer than one execution's history may be."""

from __future__ import annotations

from typing import Any

from stepward.domain.runs import RunKey
from tests.support.builders import an_agent_body
from tests.support.driver import World

LOOK_UP = {"tool": "policy_lookup", "arguments": {"topic": "books"}}
PERSON = {"tool": "ask_person", "arguments": {"question": "May I?"}}
TOOLS = [
    {"tool": "policy_lookup", "config": {"source": "datasets/policy.json"}},
    {"tool": "ask_person"},
    {"agent": "other"},
]
ASK = {"tool": "ask_other", "arguments": {"input": "What is it?"}}
ANSWER = {"say": "{% $string($count($results)) & ' results' %}"}
A_TURN_OF_TWO = 7 + 4 + 2 * 7


def a_world(*turns: dict[str, Any], most_events: int = A_TURN_OF_TWO, **changed: Any) -> World:
    """Remote turns are longer than an execution may be: each has one of its own."""
    world = World(most_events=most_events)
    world.datasets.put("acme", "datasets/policy.json", b'{"topics": {"books": {"days": 30}}}')
    turns = turns or ({"call": [LOOK_UP, LOOK_UP]},) * 3
    body = an_agent_body(tools=TOOLS, rehearsal={"turns": [*turns, ANSWER]}, **changed)
    world.register(an_agent_body(id="other", prompt="Help, too."))
    world.register(body)
    return world


def up_to_the_change(world: World) -> RunKey:
    """Leave a run whose first execution has handed it over, and whose second has not begun."""
    key = world.start()
    answer = world.advance(key, spent=7)
    for call in answer.calls or []:
        world.call(key, answer, call)
    full = {"called": answer.seq, "asked": answer.calls, "spent": 7 + A_TURN_OF_TWO}
    assert world.advance(key, **full).next == "done"
    assert (world.runtime.heads[key].epoch, world.runtime.heads[key].ended) == (2, False)
    return key
