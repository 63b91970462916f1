"""One field has one name once it is kept, whatever its author called it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from stepward.agents.definition_checks import check_agent, check_size
from stepward.agents.requests import parse
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import Conflict, InvalidRequest
from stepward.domain.lifecycle import EDGES, AgentState, edge, following, view_of
from stepward.domain.runs import RunStatus
from tests.support.builders import an_agent, an_agent_body


def without(name: str, **more: Any) -> dict[str, Any]:
    return {key: value for key, value in an_agent_body(**more).items() if key != name}


@pytest.mark.parametrize(
    ("body", "same_as"),
    [
        (without("prompt", system_prompt="Help."), {}),
        (without("prompt", prompt_template="Help."), {}),
        (an_agent_body(max_iterations=10), {"limits": {"max_iterations": 10}}),
        (an_agent_body(timeout=30.0), {"limits": {"timeout_s": 30}}),
        (
            an_agent_body(cost_limit=0.5, limits={"timeout_s": 9}),
            {"limits": {"cost_limit_usd": 0.5, "timeout_s": 9}},
        ),
        (without("model", llm_config={"model": "balanced"}), {}),
        (an_agent_body(llm_config={"max_tokens": 99}), {"limits": {"max_output_tokens": 99}}),
        (
            an_agent_body(model="gpt-6.1-sol", llm_config={"temperature": 0.2}),
            {"model": "gpt-6.1-sol", "temperature": 0.2},
        ),
        (
            an_agent_body(team=[{"agent": "researcher"}]),
            {"tools": [{"tool": "agent", "name": "ask_researcher", "config": {"agent": "researcher"}}]},
        ),
        (
            an_agent_body(
                team=[{"agent": "billing-desk", "as": "handoff", "version": "prod", "name": "bill"}]
            ),
            {
                "tools": [
                    {
                        "tool": "hand_off",
                        "name": "bill",
                        "config": {"agent": "billing-desk", "version": "prod"},
                    }
                ]
            },
        ),
    ],
)
def test_another_name_means_the_same_field(body: dict[str, Any], same_as: dict[str, Any]) -> None:
    assert parse(AgentDefinition, body) == an_agent(**same_as)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"system_prompt": "Other."}, "system_prompt"),
        ({"max_iterations": 3, "limits": {"max_iterations": 4}}, "max_iterations"),
        ({"max_iterations": 0}, "limits.max_iterations"),
        ({"timeout": 1.5}, "limits.timeout_s"),
        ({"cost_limit": -1}, "limits.cost_limit_usd"),
        ({"llm_config": {"top_p": 1}}, "llm_config.top_p"),
        ({"llm_config": {"model": "fast"}}, "llm_config.model"),
        ({"llm_config": 7}, "llm_config"),
        ({"llm_backend": "openai"}, "llm_backend"),
        ({"team": {"agent": "x"}}, "team"),
        ({"team": [{"as": "tool"}]}, "team.0.agent"),
        ({"team": [{"agent": "xx", "as": "boss"}]}, "team.0.as"),
        ({"team": [{"agent": "xx", "role": "boss"}]}, "team.0.role"),
        ({"capabilities": ["COOKING"]}, "capabilities.0"),
        ({"capabilities": ["TEXT_PROCESSING", "TEXT_PROCESSING"]}, "capabilities"),
        ({"tags": ["a", "a"]}, "tags"),
        ({"tags": ["a#b"]}, "tags.0"),
        ({"module": " finance"}, "module"),
        ({"category": ""}, "category"),
        ({"priority": 0}, "priority"),
        ({"priority": 11}, "priority"),
        ({"max_retries": -1}, "max_retries"),
        ({"dependencies": ["A B"]}, "dependencies.0"),
        ({"temperature": 0.1}, "temperature"),
        ({"temperature": 3, "model": "gpt-6.1-sol"}, "temperature"),
        ({"memory_config": {"session_ttl_s": 600}}, "memory_config"),
        ({"memory_config": {"long_term": ["dreams"]}}, "memory_config.long_term.0"),
        ({"memory_config": {"kind": "redis"}}, "memory_config.kind"),
        ({"limits": {"refuse_over_budget": "yes"}}, "limits.refuse_over_budget"),
    ],
)
def test_a_wrong_field_is_named(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_agent(parse(AgentDefinition, an_agent_body(**changed)), ())
    assert refused.value.field == field
    assert refused.value.fix


@pytest.mark.parametrize("backend", ["anthropic", "scripted"])
def test_a_backend_that_is_the_models_is_checked_and_not_kept(backend: str) -> None:
    agent = parse(AgentDefinition, an_agent_body(llm_backend=backend, memory_config={}))
    check_agent(agent, ())
    assert "llm_backend" not in agent.model_dump()


def test_priorities_make_three_ranks_in_the_run_queue() -> None:
    ranks = [an_agent(priority=priority).run_priority for priority in range(1, 11)]
    assert ranks == ["low"] * 3 + ["normal"] * 4 + ["high"] * 3
    assert an_agent().run_priority == "normal"


def test_a_definition_that_no_item_could_hold_is_refused() -> None:
    turns = [{"say": "x" * 10_000} for _ in range(32)]
    with pytest.raises(InvalidRequest) as refused:
        check_size(an_agent(rehearsal={"turns": turns}))
    assert refused.value.field == "body"


def test_the_table_has_the_edges_of_the_life_and_no_others() -> None:
    walk = ["CREATED", "INITIALIZING", "VALIDATING", "VALIDATED", "READY"]
    pairs = {(one.start.value, one.end.value) for one in EDGES}
    ending = {(state.value, "TERMINATED") for state in AgentState if state is not AgentState.TERMINATED}
    running = {
        ("READY", "EXECUTING"),
        ("EXECUTING", "COMPLETED"),
        ("EXECUTING", "FAILED"),
        ("COMPLETED", "READY"),
        ("FAILED", "READY"),
    }
    assert pairs == {*pairwise(walk), *running, *ending}
    assert all(one.trigger for one in EDGES)
    assert following(AgentState.TERMINATED) == ()


@pytest.mark.parametrize("start", AgentState)
@pytest.mark.parametrize("end", AgentState)
def test_an_edge_that_is_not_there_names_those_that_are(start: AgentState, end: AgentState) -> None:
    if end.value in following(start):
        assert edge(start, end).end is end
        return
    with pytest.raises(Conflict) as refused:
        edge(start, end)
    assert f"from {start} to {end}" in refused.value.detail
    assert all(state in str(refused.value.fix) for state in following(start))


@pytest.mark.parametrize(
    ("newest", "has_ended", "view"),
    [
        (None, False, "READY"),
        (RunStatus.RUNNING, False, "EXECUTING"),
        (RunStatus.RATE_LIMITED, False, "EXECUTING"),
        (RunStatus.RATE_LIMITED, True, "FAILED"),
        (RunStatus.BUDGET_EXCEEDED, True, "FAILED"),
        (RunStatus.FAILED, True, "FAILED"),
        (RunStatus.COMPLETED, True, "COMPLETED"),
        (RunStatus.CANCELLED, True, "READY"),
    ],
)
def test_the_newest_run_makes_the_view(newest: RunStatus | None, has_ended: bool, view: str) -> None:
    assert view_of(AgentState.READY, newest, has_ended=has_ended) == view
    assert view_of(AgentState.TERMINATED, newest, has_ended=has_ended) is AgentState.TERMINATED
