"""Rehearsed runs that nobody asked to charge draw on no budget and fill no book; what is really paid stays in it."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.answering import StageAnswers
from stepward.agents.budgets import refuse_used_up
from stepward.agents.run_control import PauseRun, ResumeRun
from stepward.domain.budgets import Budget, BudgetScope, TenantLimits
from stepward.domain.costs import CostLine
from stepward.domain.errors import BudgetExceeded, StoreConflict
from tests.support.builders import an_agent_body
from tests.support.driver import World
from tests.unit.agents.paying import Paid, begin, first

SUM = {"call": [{"tool": "calculate", "arguments": {"expression": "6 * 7"}}]}
ASK = {"tool": "ask_expert", "arguments": {"input": "What?"}}


def a_world(active: int = 10, limit_usd_micros: int = 100, **body: Any) -> World:
    """A stage as it comes, with a budget that covers no run at all."""
    world = World(stage=StageAnswers())
    budget = Budget(scope=BudgetScope.DAY, limit_usd_micros=limit_usd_micros)
    world.limits.change("acme", TenantLimits(active=active, budgets=(budget,)), 0)
    turns = {"turns": [SUM, SUM, {"say": "42"}]}
    world.register(an_agent_body(**{"tools": [{"tool": "calculate"}], "rehearsal": turns, **body}))
    return world


def touched(world: World) -> int:
    return len(world.runtime.budgets.touched(10))


def lines(world: World) -> list[CostLine]:
    found: list[CostLine] = world.runtime.cost_book.lines("acme", "2000-01-01", "2999-01-01")
    return found


def test_a_rehearsed_run_draws_on_nothing_however_much_it_reserves() -> None:
    world = a_world(limits={"max_output_tokens": 4_000})
    key = begin(world)
    run = world.finish(key)
    assert (run["status"], run["charged"], touched(world)) == ("COMPLETED", False, 0)
    assert run["totals"]["cost_usd_micros"] > 0
    assert "topped_up" not in world.kinds(key)


def test_a_run_names_the_budgets_that_it_is_charged_to() -> None:
    world = a_world(limit_usd_micros=1_000_000)
    assert "charged_to" not in world.finish(begin(world))
    assert world.finish(begin(world, charge=True))["charged_to"] == ["the day's budget (2026-01-01)"]


def test_one_that_stood_in_line_names_them_once_it_has_drawn() -> None:
    world = a_world(active=1, limit_usd_micros=1_000_000)
    ahead, key = begin(world, charge=True), begin(world, charge=True)
    assert world.show(key)["charged_to"] == []
    world.finish(ahead)
    world.serve()
    assert world.finish(key)["charged_to"] == ["the day's budget (2026-01-01)"]


def test_its_own_limit_still_ends_it() -> None:
    run = (world := a_world(limits={"cost_limit_usd": "0.000001"})).finish(begin(world))
    assert (run["status"], run["totals"]["turns"]) == ("BUDGET_EXCEEDED", 0)


def test_one_that_is_charged_is_refused_where_nothing_is_left() -> None:
    world = a_world()
    with pytest.raises(BudgetExceeded):
        begin(world, charge=True)
    assert world.runtime.heads == {}


def test_what_a_model_answers_is_drawn(paid: Paid) -> None:
    world = a_world(limit_usd_micros=1_000_000)
    run = world.finish(begin(world, rehearse=False))
    (state,) = world.runtime.budgets.touched(10)
    assert state.committed_usd_micros == run["totals"]["cost_usd_micros"] > 0
    (line,) = lines(world)
    assert (line.model, line.model_usd_micros) == ("claude-sonnet-5-5", run["totals"]["cost_usd_micros"])


def test_the_book_has_what_is_paid_for_a_rehearsal_too() -> None:
    priced = [{"tool": "calculate", "cost_usd": "0.001"}]
    world = a_world(tools=priced)
    run = world.finish(begin(world))
    assert lines(world) == [
        CostLine(
            day=run["ended_at"][:10],
            agent="helper",
            model="rehearsal",
            runs=1,
            tool_calls=2,
            tool_usd_micros=2_000,
            aws_usd_micros=run["aws"]["usd_micros"],
        )
    ]


def test_the_line_keeps_that_a_run_is_not_charged() -> None:
    world = a_world(active=1)
    before, waiting = begin(world), begin(world)
    assert world.show(waiting)["status"] == "PENDING"
    world.finish(before)
    assert world.serve() == 1
    assert world.finish(waiting)["status"] == "COMPLETED"
    assert touched(world) == 0


def test_a_run_that_comes_back_from_a_pause_in_line_draws_nothing() -> None:
    world = a_world(active=1)
    before, waiting = begin(world), begin(world)
    PauseRun(world.ports)("acme", waiting.run, "ann")
    ResumeRun(world.ports)("acme", waiting.run, "ann")
    world.finish(before)
    assert world.serve() == 1
    assert (world.finish(waiting)["status"], touched(world)) == ("COMPLETED", 0)


@pytest.mark.parametrize("active", [1, 10])
def test_a_run_that_has_waited_goes_on_without_a_draw(active: int) -> None:
    """With one slot it comes back through the line, where another one stands before it."""
    world = a_world(active=active)
    turns = {"turns": [{"call": [ASK]}, {"say": "Good."}]}
    world.register(an_agent_body(id="expert"))
    world.register(an_agent_body(id="asker", tools=[{"agent": "expert"}], rehearsal=turns))
    key = begin(world, "asker")
    answer = world.advance(key)
    (wait,) = answer.waits or []
    world.wait(key, answer, wait.call)
    (child,) = [one for one in world.runtime.heads if one != key]
    world.finish(child)
    other = begin(world) if active == 1 else None
    parked = world.advance(key, awaited=answer.seq)
    if other:
        assert parked.next == "waits"
        world.finish(other)
        assert world.serve() == 1
    assert world.finish(key)["status"] == "COMPLETED"
    assert touched(world) == 0
    assert all(not head.charged for head in world.runtime.heads.values())


def test_a_late_reply_is_counted_in_the_run_and_nowhere_else() -> None:
    world = a_world()
    key = begin(world)
    plain = world._call_limits("acme", "helper", "1.0.0", True).backend

    class Overtaken:
        longest_call_s = 10.0
        estimate_input_tokens = plain.estimate_input_tokens

        def reply(self, request: Any, call: Any) -> Any:
            world.cancel(key)
            return plain.reply(request, call)

    world.backend = Overtaken()
    with pytest.raises(StoreConflict):
        world.advance(key)
    run = world.show(key)
    assert (run["status"], touched(world)) == ("CANCELLED", 0)
    assert run["totals"]["cost_usd_micros"] > 0
    assert [line.model_usd_micros for line in lines(world)] == [0]


def test_an_older_run_that_draws_goes_on_to_draw() -> None:
    world = a_world(limit_usd_micros=1_000_000)
    key = begin(world, charge=True)
    world.stage = StageAnswers(charge_rehearsals=False)
    run = world.finish(key)
    (state,) = world.runtime.budgets.touched(10)
    assert state.committed_usd_micros == run["totals"]["cost_usd_micros"]
    assert first(world, key).charged


def test_a_used_up_budget_is_the_models_alone() -> None:
    world = a_world(limit_usd_micros=0)
    with pytest.raises(BudgetExceeded):
        refuse_used_up(world.runtime.budgets, world.limits, world.clock, "acme")
    assert world.finish(begin(world))["status"] == "COMPLETED"
