"""What counted budgets promise, in memory and on AWS."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.aws.budgets import DynamoBudgets, draw_item, return_item
from stepward.adapters.aws.clients import client
from stepward.adapters.memory.costs import MemoryBudgets
from stepward.adapters.memory.registry import MemoryRegistry
from stepward.domain.budgets import BudgetRef, BudgetScope, BudgetState

DAY = BudgetRef(scope=BudgetScope.DAY, period="2026-01-02")
AGENT = BudgetRef(scope=BudgetScope.AGENT, id="helper")
AT, LATER = "2026-01-02T00:00:00.000Z", "2026-01-02T00:01:00.000Z"


class _DrawnBudgets(DynamoBudgets):
    def can_draw(self, tenant: str, item_key: str, limit: int, usd_micros: int) -> bool:
        state = self.states(tenant, [BudgetRef.of(item_key)]).get(BudgetRef.of(item_key))
        return (state.remaining_usd_micros if state else limit) >= usd_micros

    def draw(self, tenant: str, item_key: str, limit: int, usd_micros: int) -> None:
        self._transact(draw_item(self.table, tenant, item_key, limit, usd_micros))

    def give_back(self, tenant: str, item_key: str, usd_micros: int) -> None:
        self._transact(return_item(self.table, tenant, item_key, usd_micros))

    def _transact(self, item: dict[str, Any]) -> None:
        client("dynamodb").transact_write_items(TransactItems=[item])


@pytest.fixture
def budgets(ports: Any) -> Any:
    return MemoryBudgets() if isinstance(ports.registry, MemoryRegistry) else _DrawnBudgets("runtime")


def _state(budgets: Any, ref: BudgetRef = DAY) -> BudgetState:
    return budgets.states("acme", [ref])[ref]


def test_the_first_draw_makes_a_full_budget(budgets: Any) -> None:
    assert budgets.states("acme", [DAY, AGENT]) == {}
    budgets.draw("acme", DAY.item_key, 100, 30)
    budgets.draw("acme", AGENT.item_key, 50, 30)
    assert (_state(budgets).remaining_usd_micros, _state(budgets).committed_usd_micros) == (70, 30)
    assert _state(budgets, AGENT).remaining_usd_micros == 20
    assert budgets.states("other", [DAY, AGENT]) == {}


def test_what_is_given_back_remains(budgets: Any) -> None:
    budgets.draw("acme", DAY.item_key, 100, 30)
    budgets.give_back("acme", DAY.item_key, 29)
    assert _state(budgets).remaining_usd_micros == 99
    budgets.give_back("acme", DAY.item_key, -5)
    assert _state(budgets).remaining_usd_micros == 94


def test_enough_must_remain(budgets: Any) -> None:
    assert not budgets.can_draw("acme", DAY.item_key, 100, 101)
    budgets.draw("acme", DAY.item_key, 100, 60)
    assert not budgets.can_draw("acme", DAY.item_key, 100, 41)
    assert budgets.can_draw("acme", DAY.item_key, 100, 40)


@pytest.mark.parametrize(("drawn", "more"), [(0, 101), (60, 41)])
def test_the_table_itself_refuses_an_overdraft(ports: Any, drawn: int, more: int) -> None:
    if isinstance(ports.registry, MemoryRegistry):
        return
    budgets = _DrawnBudgets("runtime")
    if drawn:
        budgets.draw("acme", DAY.item_key, 100, drawn)
    with pytest.raises(client("dynamodb").exceptions.TransactionCanceledException):
        budgets.draw("acme", DAY.item_key, 100, more)


def test_another_limit_moves_what_remains(budgets: Any) -> None:
    budgets.draw("acme", DAY.item_key, 100, 90)
    budgets.move_limit("acme", DAY, 150)
    assert (_state(budgets).limit_usd_micros, _state(budgets).remaining_usd_micros) == (150, 60)
    budgets.move_limit("acme", DAY, 80)
    assert _state(budgets).remaining_usd_micros == -10


@pytest.mark.parametrize("ref", [DAY, AGENT])
def test_a_limit_holds_before_the_first_draw_whatever_the_drawer_remembers(
    budgets: Any, ref: BudgetRef
) -> None:
    budgets.move_limit("acme", ref, 5)
    assert (_state(budgets, ref).limit_usd_micros, _state(budgets, ref).remaining_usd_micros) == (5, 5)
    assert not budgets.can_draw("acme", ref.item_key, 100, 6)
    budgets.draw("acme", ref.item_key, 100, 5)
    assert (_state(budgets, ref).limit_usd_micros, _state(budgets, ref).remaining_usd_micros) == (5, 0)
    budgets.move_limit("acme", ref, 5)
    assert _state(budgets, ref).remaining_usd_micros == 0


def test_a_higher_limit_lets_alerts_be_given_again(budgets: Any) -> None:
    budgets.draw("acme", DAY.item_key, 100, 90)
    assert budgets.alerted(_state(budgets), 80, AT)
    budgets.refused("acme", DAY.item_key, AT)
    assert (_state(budgets).percent, _state(budgets).due_alert) == (100, 100)
    budgets.move_limit("acme", DAY, 150)
    assert (_state(budgets).alerted_pct, _state(budgets).refused_at) == (50, None)
    assert _state(budgets).percent == 60


def test_an_alert_is_given_once(budgets: Any) -> None:
    budgets.draw("acme", DAY.item_key, 100, 85)
    state = _state(budgets)
    assert state.due_alert == 80
    assert budgets.alerted(state, 80, AT)
    assert not budgets.alerted(state, 80, LATER)
    assert not budgets.alerted(state, 50, LATER)
    assert _state(budgets).alerts == {"80": AT}
    assert _state(budgets).due_alert is None


def test_budgets_that_were_drawn_from_are_named_until_looked_at(budgets: Any) -> None:
    assert budgets.touched(10) == []
    budgets.draw("acme", DAY.item_key, 100, 1)
    budgets.draw("other", AGENT.item_key, 100, 1)
    seen = budgets.touched(10)
    assert {(s.tenant, s.ref) for s in seen} == {("acme", DAY), ("other", AGENT)}
    budgets.draw("acme", DAY.item_key, 100, 1)
    for state in seen:
        budgets.clear_touched(state)
    assert [(s.tenant, s.remaining_usd_micros) for s in budgets.touched(10)] == [("acme", 98)]
    budgets.give_back("other", AGENT.item_key, 1)
    assert [s.tenant for s in budgets.touched(10)] == ["acme"]


def test_a_refused_draw_is_noted_once(budgets: Any) -> None:
    budgets.refused("acme", DAY.item_key, AT)
    assert budgets.states("acme", [DAY]) == {}
    budgets.draw("acme", DAY.item_key, 100, 30)
    budgets.refused("acme", DAY.item_key, AT)
    budgets.refused("acme", DAY.item_key, LATER)
    assert _state(budgets).refused_at == AT
