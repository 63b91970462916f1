"""Runs draw from budgets before they spend, and give back what they do not need: sums balance to the micro-dollar."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.budgets import AccountLimits, Budget, BudgetScope, TenantLimits
from stepward.domain.errors import BudgetExceeded
from stepward.domain.journal import Turn
from stepward.domain.ledger import Ledger
from stepward.domain.run_queue import Allowance
from tests.support.builders import a_turn, an_agent_body
from tests.support.driver import World

SUM = {"call": [{"tool": "calculate", "arguments": {"expression": "6 * 7"}}]}


def a_world(limit_usd_micros: int, **body: Any) -> World:
    world = World()
    budget = Budget(scope=BudgetScope.DAY, limit_usd_micros=limit_usd_micros)
    world.limits.change("acme", TenantLimits(active=1_000, budgets=(budget,)), 0)
    world.register(an_agent_body(tools=[{"tool": "calculate"}], **body))
    return world


def left(world: World) -> int:
    (state,) = world.runtime.budgets.touched(10)
    return state.remaining_usd_micros


def test_a_run_gives_back_what_it_has_not_spent() -> None:
    world = a_world(1_000_000)
    run = world.finish(world.start())
    assert run["status"] == "COMPLETED"
    assert left(world) == 1_000_000 - run["totals"]["cost_usd_micros"]


def test_a_run_tops_up_when_its_allowance_is_too_small() -> None:
    world = a_world(
        1_000_000, limits={"max_output_tokens": 4_000}, rehearsal={"turns": [SUM, SUM, {"say": "42"}]}
    )
    key = world.start()
    run = world.finish(key)
    assert run["status"] == "COMPLETED"
    assert "topped_up" in world.kinds(key)
    assert left(world) == 1_000_000 - run["totals"]["cost_usd_micros"]


def test_a_run_ends_before_the_call_that_its_budget_cannot_cover() -> None:
    world = a_world(25_000, limits={"max_output_tokens": 4_000}, rehearsal={"turns": [SUM, {"say": "42"}]})
    run = world.finish(world.start())
    assert (run["status"], run["totals"]["turns"]) == ("BUDGET_EXCEEDED", 0)
    assert left(world) == 25_000


def test_a_start_that_no_budget_covers_is_refused_and_leaves_nothing() -> None:
    world = a_world(10_000)
    with pytest.raises(BudgetExceeded) as refused:
        world.start()
    assert refused.value.http_status == 402
    assert world.runtime.heads == {}
    assert world.run_queue.slots == {}


def test_a_thousand_draws_on_money_for_a_hundred_never_overspend() -> None:
    world = a_world(100 * 20_000)
    world.limits.change_account(AccountLimits(active=1_000))
    started, refused = [], 0
    for _ in range(1_000):
        try:
            started.append(world.start())
        except BudgetExceeded:
            refused += 1
    assert (len(started), refused) == (100, 900)
    assert left(world) == 0
    spent = sum(world.finish(key)["totals"]["cost_usd_micros"] for key in started)
    assert left(world) == 100 * 20_000 - spent


def test_a_waiting_run_holds_no_money() -> None:
    world = a_world(1_000_000)
    world.register(an_agent_body(id="researcher"))
    ask = {"tool": "ask_researcher", "arguments": {"input": "What?"}}
    turns = [{"call": [ask, ask]}, {"say": "Good."}]
    world.register(an_agent_body(id="asker", tools=[{"agent": "researcher"}], rehearsal={"turns": turns}))
    key = world.start("asker")
    assert world.advance(key).next == "waits"
    paid = sum(
        item.record.cost_usd_micros
        for item in world.journal.load(key).records
        if isinstance(item.record, Turn)
    )
    assert left(world) == 1_000_000 - paid
    world.finish(key)
    total = sum(head.totals.cost_usd_micros for head in world.runtime.heads.values())
    assert left(world) == 1_000_000 - total
    lines = world.runtime.cost_book.lines("acme", "2000-01-01", "2999-01-01")
    assert sum(line.model_usd_micros for line in lines) == total


def test_what_was_settled_when_a_budget_was_taken_away_is_not_settled_twice() -> None:
    ledger = Ledger()
    ledger.draw(Allowance(usd_micros=1_000, budgets=("tenant##",)))
    ledger.book_turn(a_turn(cost_usd_micros=300))
    given = sum(one.usd_micros for one in ledger.returns())
    ledger.give_back()
    for turn in (2, 3):  # nobody draws any more: the budget was removed
        ledger.book_turn(a_turn(turn, cost_usd_micros=10))
        given += sum(one.usd_micros for one in ledger.returns())
        ledger.give_back()
    given += sum(one.usd_micros for one in ledger.returns())
    assert 1_000 - given == ledger.spent_usd_micros == 320


def test_what_was_spent_before_there_was_a_budget_is_not_taken_from_it() -> None:
    ledger = Ledger()
    ledger.book_turn(a_turn(cost_usd_micros=300))
    ledger.give_back()
    ledger.draw(Allowance(usd_micros=1_000, budgets=("tenant##",)))
    assert sum(one.usd_micros for one in ledger.returns()) == 1_000
