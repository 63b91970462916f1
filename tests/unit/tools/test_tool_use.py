"""An agent's word for a tool: short forms, options, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from stepward.domain.retries import Retry
from stepward.domain.tools import ToolUse
from stepward.tools.catalog import bind


def use(**given: Any) -> ToolUse:
    return ToolUse.model_validate(given)


def test_an_agent_is_a_tool_with_a_name_of_its_own() -> None:
    meant = use(
        tool="agent", name="ask_web_researcher", config={"agent": "web-researcher", "version": "1.2.0"}
    )
    assert use(agent="web-researcher", version="1.2.0") == meant
    assert meant.called == "ask_web_researcher"


def test_a_hand_off_is_a_tool_with_a_name_of_its_own() -> None:
    meant = use(tool="hand_off", name="transfer_to_billing", config={"agent": "billing"})
    assert use(handoff="billing") == meant


def test_a_workflow_is_a_tool_with_a_name_of_its_own() -> None:
    meant = use(tool="workflow", name="run_refunds", config={"workflow": "refunds", "version": "1.2.0"})
    assert use(workflow="refunds", version="1.2.0") == meant


def test_a_short_form_keeps_what_else_is_said() -> None:
    said = use(agent="researcher", name="research", description="Ask.", timeout_s=5, config={"wait": 3})
    assert (said.called, said.description, said.timeout_s) == ("research", "Ask.", 5)
    assert said.config == {"wait": 3, "agent": "researcher"}


def test_what_is_kept_reads_as_the_same() -> None:
    said = use(handoff="billing", retry={"strategy": "linear"}, concurrency=2, cost_usd="0.01")
    assert ToolUse.model_validate(said.model_dump(mode="json")) == said


def test_the_longest_agent_id_gives_a_name_that_models_take() -> None:
    assert len(use(handoff="a" * 63).called) == 63


def test_a_function_of_ones_own_is_called_by_its_last_part() -> None:
    assert use(tool="orders.find_order").called == "find_order"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "found none of them"),
        ({"tool": "calculate", "agent": "researcher"}, "found `tool` and `agent`"),
        ({"agent": ["researcher"]}, "`agent` takes an agent's id"),
        ({"agent": "researcher", "config": {"agent": "other"}}, "'agent' is given in `config` and beside it"),
        ({"workflow": 7}, "`workflow` takes a workflow's id"),
        ({"tool": "calculate", "version": "1.0.0"}, "version"),
        ({"tool": "calculate", "timeout_s": 0}, "timeout_s"),
        ({"tool": "calculate", "concurrency": 13}, "concurrency"),
        ({"tool": "calculate", "cost_usd": -1}, "cost_usd"),
        ({"tool": "calculate", "retry": {"strategy": "often"}}, "retry.strategy"),
        ({"tool": "a.b.c"}, "tool"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says.replace(".", "[.]")):
        use(**given)


def test_options_reach_the_bound_tool() -> None:
    bound = bind(
        use(tool="calculate", timeout_s=7, concurrency=2, cost_usd="0.000002", retry={"strategy": "constant"})
    )
    assert (bound.timeout_s, bound.concurrency, bound.cost_usd_micros) == (7, 2, 2)
    assert bound.retry.attempts == 3
    assert bind(use(tool="calculate")).timeout_s == 2


@pytest.mark.parametrize(
    ("retry", "pauses"),
    [
        (Retry(strategy="immediate", base_s=2), [0, 0, 0]),
        (Retry(strategy="constant", base_s=2), [2, 2, 2]),
        (Retry(strategy="linear", base_s=2), [2, 4, 6]),
        (Retry(strategy="exponential", base_s=2), [2, 4, 8]),
        (Retry(strategy="exponential", base_s=2, exponent_base=3, max_s=10), [2, 6, 10]),
        (Retry(strategy="exponential", base_s=2, jitter=True), [1.5, 3, 6]),
    ],
)
def test_pauses_grow_as_the_strategy_says(retry: Retry, pauses: list[float]) -> None:
    assert [retry.pause_s(attempt, random=0.5) for attempt in (1, 2, 3)] == pauses


def test_all_attempts_together_have_a_known_length() -> None:
    assert Retry().longest_s(5) == 5
    assert Retry(strategy="linear", max_attempts=3, base_s=1).longest_s(5) == 18
