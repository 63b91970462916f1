"""The schema of agents' files says what the model takes: every name, every short form, and what each field is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from stepward.agents.definition_schema import agent_schema
from stepward.agents.requests import parse
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from tests.support.builders import an_agent_body

SCHEMA = agent_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in an_agent_body().items() if name not in names}


TAKEN: list[dict[str, Any]] = [
    an_agent_body(),
    {**without("prompt"), "system_prompt": "Help."},
    {**without("prompt"), "prompt_template": "Help."},
    {**without("model"), "llm_config": {"model": "balanced", "temperature": 0.5, "max_tokens": 10}},
    an_agent_body(timeout=30.0, cost_limit="0.5", max_iterations=3, limits={"max_output_tokens": 5}),
    an_agent_body(tools=[{"agent": "a1", "version": "prod"}, {"handoff": "b1"}, {"workflow": "c1"}]),
    an_agent_body(tools=[{"tool": "my.count", "timeout_s": 5, "retry": {"strategy": "linear"}}]),
    an_agent_body(tools=[{"tool": "calculate", "approval": {"question": "May it?", "not_requester": False}}]),
    an_agent_body(team=[{"agent": "a1", "as": "handoff", "name": "go"}, {"agent": "b1"}]),
    an_agent_body(module=None, input_schema=None, max_retries=None, priority=8, tags=["eu"]),
]
REFUSED: list[dict[str, Any]] = [
    without("prompt"),
    without("model"),
    without("id"),
    an_agent_body(colour="red"),
    an_agent_body(system_prompt="Twice."),
    an_agent_body(timeout=0),
    an_agent_body(timeout=1.5),
    an_agent_body(priority=11),
    an_agent_body(llm_config={"modle": "balanced"}),
    an_agent_body(limits={"cost_limit_usd": 0}),
    an_agent_body(tools=[{"tool": "calculate", "version": "1.0.0"}]),
    an_agent_body(tools=[{"tool": "calculate", "agent": "a1"}]),
    an_agent_body(tools=[{"tool": "calculate", "timeout_s": 0}]),
    an_agent_body(tools=[{"tool": "calculate", "timeout_s": 241}]),
    an_agent_body(tools=[{"name": "nothing"}]),
    an_agent_body(team=[{"agent": "a1", "as": "friend"}]),
    an_agent_body(team=[{"as": "tool"}]),
]


@pytest.mark.parametrize("body", TAKEN)
def test_what_the_model_takes_the_schema_takes(body: dict[str, Any]) -> None:
    parse(AgentDefinition, body)
    assert [one.message for one in VALIDATOR.iter_errors(body)] == []


@pytest.mark.parametrize("body", REFUSED)
def test_what_the_model_refuses_the_schema_refuses(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        parse(AgentDefinition, body)
    assert not VALIDATOR.is_valid(body)


def test_a_tool_that_the_gallery_has_not_got_is_refused() -> None:
    assert not VALIDATOR.is_valid(an_agent_body(tools=[{"tool": "record_lokup"}]))


def fields(part: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, list):
        part = dict(enumerate(part))
    if not isinstance(part, dict):
        return
    if part.get("additionalProperties") is False:
        yield from ((f"{at}.{name}", one) for name, one in part["properties"].items())
    for name, one in part.items():
        yield from fields(one, f"{at}.{name}")


def test_every_field_says_what_it_is_for() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    found = list(fields(SCHEMA, ""))
    assert len(found) >= 80
    assert [name for name, one in found if not one.get("description")] == []
