"""Rehearsals stand in for a model: each agent's script begins at its own first turn, and a script costs no call."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.budgets import Budget, BudgetScope, TenantLimits
from stepward.domain.errors import InvalidRequest
from tests.support.builders import an_agent_body
from tests.support.driver import World

SUM = {"call": [{"tool": "calculate", "arguments": {"expression": "6 * 7"}}]}
SHOW = {"say": "{% 'turn ' & $turn & ' of ' & $count($results) & ' results' %}"}
CALCULATE = {"tool": "calculate"}


@pytest.fixture
def world() -> World:
    return World()


def to(agent: str) -> dict[str, Any]:
    return {"call": [{"tool": f"transfer_to_{agent}", "arguments": {"reason": "yours"}}]}


def register(
    world: World, agent: str, *turns: dict[str, Any], tools: list[dict[str, Any]], **more: Any
) -> None:
    world.register(an_agent_body(id=agent, tools=tools, rehearsal={"turns": list(turns)}, **more))


def swap(world: World, agent: str, *turns: dict[str, Any], tools: list[dict[str, Any]]) -> None:
    """Register agents that hand over to each other: the second is there when the first names it."""
    register(world, agent, {"say": "not yet"}, tools=[])
    world.swap_version(an_agent_body(id=agent, tools=tools, rehearsal={"turns": list(turns)}))


# ── whose turn it is ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("before", [0, 1, 3])
def test_who_takes_a_run_over_begins_at_its_own_first_turn(world: World, before: int) -> None:
    register(world, "billing", SUM, SHOW, tools=[CALCULATE])
    register(world, "front", *[SUM] * before, to("billing"), tools=[CALCULATE, {"handoff": "billing"}])
    run = world.finish(world.start("front"))
    assert (run["status"], run["output"]) == ("COMPLETED", f"turn 2 of {before + 2} results")


def test_who_gets_a_run_back_goes_on_where_it_was(world: World) -> None:
    swap(world, "front", to("billing"), SUM, SHOW, tools=[CALCULATE, {"handoff": "billing"}])
    register(world, "billing", SUM, to("front"), tools=[CALCULATE, {"handoff": "front"}])
    run = world.finish(world.start("front"))
    assert (run["status"], run["output"]) == ("COMPLETED", "turn 3 of 4 results")


def test_calls_of_all_who_carry_a_run_have_ids_of_their_own(world: World) -> None:
    register(world, "billing", SUM, {"say": "{% $join($results.call, ' ') %}"}, tools=[CALCULATE])
    register(world, "front", SUM, to("billing"), tools=[CALCULATE, {"handoff": "billing"}])
    assert world.finish(world.start("front"))["output"] == "call_1_1 call_2_1 call_3_1"


def test_a_run_that_dies_after_each_step_counts_its_turns_the_same(world: World) -> None:
    register(world, "billing", SUM, SHOW, tools=[CALCULATE])
    register(world, "front", SUM, to("billing"), tools=[CALCULATE, {"handoff": "billing"}])
    world.time_left_s = lambda: 1.0
    assert world.finish(world.start("front"))["output"] == "turn 2 of 3 results"


# ── what a script costs that has no reply ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "turn",
    [
        None,
        {"choose": [{"when": "{% false %}", "say": "no"}]},
        {"say": "{% $error('it broke') %}"},
        {"call": [{"tool": "calculate", "arguments": {"expression": "{% 1 / 0 %}"}}]},
        {"say": "{% '\\ud800' %}"},
    ],
)
@pytest.mark.parametrize("before", [0, 1])
def test_a_script_without_a_reply_books_no_call(
    world: World, turn: dict[str, Any] | None, before: int
) -> None:
    budget = Budget(scope=BudgetScope.DAY, limit_usd_micros=1_000_000)
    world.limits.change("acme", TenantLimits(active=10, budgets=(budget,)), 0)
    turns = [SUM] * (before or int(turn is None)) + ([turn] if turn else [])
    register(world, "helper", *turns, tools=[CALCULATE])
    key = world.start()
    run = world.finish(key)
    assert (run["status"], run["error"]["code"]) == ("FAILED", "OutputMalformed")
    booked = sum(
        item.record.cost_usd_micros for item in world.journal.load(key).records if item.record.kind == "turn"
    )
    assert run["totals"]["cost_usd_micros"] == booked
    assert run["totals"]["turns"] == len(turns) - bool(turn)
    (state,) = world.runtime.budgets.touched(10)
    assert state.remaining_usd_micros == 1_000_000 - booked


def test_a_script_that_ends_after_a_hand_over_books_no_call(world: World) -> None:
    register(world, "billing", SUM, tools=[CALCULATE])
    register(world, "front", to("billing"), tools=[{"handoff": "billing"}])
    key = world.start("front")
    run = world.finish(key)
    assert run["error"]["detail"].startswith("the rehearsal has no turn 2. Fix: end the script with")
    booked = [
        item.record.cost_usd_micros for item in world.journal.load(key).records if item.record.kind == "turn"
    ]
    assert (len(booked), run["totals"]["cost_usd_micros"]) == (2, sum(booked))


# ── what a script may call ───────────────────────────────────────────────────────────────────────────────────────────

TEAM = [CALCULATE, {"agent": "line-classifier"}, {"handoff": "dispute-desk"}]


@pytest.mark.parametrize(
    ("turn", "field", "meant"),
    [
        ({"call": [{"tool": "calculator"}]}, "call.0.tool", "calculate"),
        ({"call": [{"tool": "line_classifier"}]}, "call.0.tool", "ask_line_classifier"),
        ({"call": [{"tool": "line-classifier"}]}, "call.0.tool", "ask_line_classifier"),
        ({"call": [{"tool": "dispute-desk"}]}, "call.0.tool", "transfer_to_dispute_desk"),
        ({"call": [*SUM["call"], {"tool": "hand_off"}]}, "call.1.tool", "transfer_to_dispute_desk"),
        ({"choose": [SUM, {"call": [{"tool": "agent"}]}]}, "choose.1.call.0.tool", "ask_line_classifier"),
        ({"choose": [{"when": "{% false %}", "call": [{"tool": "nope"}]}]}, "choose.0.call.0.tool", None),
    ],
)
def test_a_script_that_calls_what_its_agent_has_not_is_refused(
    world: World, turn: dict[str, Any], field: str, meant: str | None
) -> None:
    for agent in ("line-classifier", "dispute-desk"):
        world.register(an_agent_body(id=agent))
    with pytest.raises(InvalidRequest) as refused:
        register(world, "clerk", SUM, turn, tools=TEAM)
    assert refused.value.field == f"rehearsal.turns.1.{field}"
    assert str(refused.value.fix).endswith("calculate, ask_line_classifier, transfer_to_dispute_desk")
    assert (f"did you mean {meant!r}?" in str(refused.value.fix)) is (meant is not None)


def test_a_script_of_an_agent_without_tools_may_call_none(world: World) -> None:
    with pytest.raises(InvalidRequest) as refused:
        register(world, "clerk", SUM, tools=[])
    assert "the agent has no tools" in str(refused.value.fix)


def test_a_script_may_call_every_tool_by_the_name_that_the_model_has_for_it(world: World) -> None:
    world.register(an_agent_body(id="line-classifier"))
    world.register(an_agent_body(id="dispute-desk"))
    names = ["calculate", "ask_line_classifier", "transfer_to_dispute_desk", "run_refunds", "guess"]
    tools = [*TEAM, {"workflow": "refunds"}, {**CALCULATE, "name": "guess"}]
    register(world, "clerk", *({"call": [{"tool": name}]} for name in names), tools=tools)
