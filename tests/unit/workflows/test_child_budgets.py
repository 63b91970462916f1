"""A workflow's limit holds for all its agents together, whoever runs beside whom and whoever dies on the way."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward.agents.budgets import AlertBudgets, TenantMoney
from stepward.domain.budgets import Budget, BudgetRef, BudgetScope, TenantLimits
from stepward.domain.errors import InvalidRequest
from stepward.domain.runs import RunKey
from tests.support.agents_and_workflows import RESERVE, Joint
from tests.support.draws import drawn
from tests.support.workflow_world import Ran


class Died(BaseException):
    """A process is gone."""


def first(found: list[RunKey]) -> RunKey:
    return found[0]


def ends(ran: Ran) -> list[str]:
    return sorted(record.error.code if record.error else "ok" for record in ran.records.values())


def test_what_is_spent_is_what_is_missing() -> None:
    joint = Joint()
    key = joint.begin(3, "1")
    joint.carry(first)
    ran = Ran(joint.flows, key)
    assert ends(ran) == ["ok", "ok", "ok"]
    assert joint.left(key) == 1_000_000 - joint.spent()
    assert ran.head.totals.cost_usd_micros == joint.spent() > 0


def test_agents_side_by_side_do_not_each_spend_the_rest() -> None:
    alone = Joint()
    alone.begin(1, None)
    alone.carry(first)
    cost = alone.spent()
    joint = Joint()
    limit = cost + cost // 2 + RESERVE
    key = joint.begin(5, f"{limit / 1_000_000:.6f}")
    joint.carry(lambda found: found[-1])
    ran = Ran(joint.flows, key)
    assert joint.spent() <= limit
    assert joint.left(key) == limit - joint.spent()
    assert set(ends(ran)) == {"ok", "BudgetExceeded"}


def test_a_run_holds_no_more_than_its_next_call_needs() -> None:
    joint = Joint()
    key = joint.begin(2, "1")
    joint.agents.advance(joint.open[0])
    assert joint.left(key) > 1_000_000 - joint.spent() - 2 * RESERVE


def test_the_budgets_of_the_tenant_hold_as_well() -> None:
    joint = Joint()
    budget = Budget(scope=BudgetScope.TENANT, limit_usd_micros=1_000_000)
    joint.agents.limits.change("acme", TenantLimits(budgets=(budget,)), 0)
    key = joint.begin(2, "0.5")
    joint.carry(first)
    ref = BudgetRef(scope=BudgetScope.TENANT)
    state = joint.agents.runtime.budgets.states("acme", [ref])[ref]
    assert state.committed_usd_micros == joint.spent() == 500_000 - joint.left(key)


def test_a_workflow_within_another_draws_from_both() -> None:
    joint = Joint()
    inner = [{"id": f"b{n}", "type": "agent", "agent": "helper"} for n in range(3)]
    joint.flows.register(inner, id="inner", on_error="continue", cost_limit_usd="0.5")
    outer = [{"id": "sub", "type": "subworkflow", "workflow": "inner"}]
    joint.flows.register(outer, cost_limit_usd=f"{2 * RESERVE / 1_000_000:.6f}", on_error="continue")
    key = joint.flows.start()
    joint.settle_down()
    joint.carry(first)
    assert joint.left(key) == 2 * RESERVE - joint.spent() >= 0
    (within,) = (found for found in joint.flows.runs.heads if found != key)
    assert joint.left(within) == 500_000 - joint.spent()


@drawn(40)
@given(st.integers(0, 2**32))
def test_whatever_the_order_and_whoever_dies_the_limit_holds_and_all_of_it_is_there(seed: int) -> None:
    chance, joint = random.Random(seed), Joint()
    limit = chance.randint(1, 12) * RESERVE
    key = joint.begin(chance.randint(1, 5), f"{limit / 1_000_000:.6f}")
    agents = joint.agents
    agents.ports = replace(
        agents.ports,
        journal=Mortal(agents.journal, chance, "append"),
        runtime=Mortal(agents.runtime, chance, "top_up", "close", "admit"),
    )
    while found := joint.open:
        try:
            joint.agents.serve()
            joint.agents.advance(chance.choice(found))
        except Died:
            pass
        joint.settle_down()
        assert joint.left(key) >= 0
    assert joint.spent() <= limit
    assert joint.left(key, limit) == limit - joint.spent()


class Mortal:
    """A port at which a process dies before or after a write, now and then; what one write does stays whole."""

    def __init__(self, port: Any, chance: random.Random, *writes: str) -> None:
        self._port, self._chance, self._writes = port, chance, writes

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return partial(self._dying, found) if name in self._writes else found

    def _dying(self, write: Any, *given: Any, **named: Any) -> Any:
        fate = self._chance.random()
        if fate < 0.05:
            raise Died
        found = write(*given, **named)
        if fate > 0.95:
            raise Died
        return found


def test_nobody_sets_the_budget_of_a_run_and_nobody_is_alarmed_by_it() -> None:
    joint = Joint()
    joint.begin(1, f"{RESERVE / 1_000_000:.6f}")
    joint.carry(first)
    world = joint.agents
    assert AlertBudgets(world.runtime.budgets, world.told, world.clock)() == []
    money = TenantMoney(world.limits, world.runtime.budgets, lambda *_: True, world.clock)
    with pytest.raises(InvalidRequest) as refused:
        money.put("acme", "run", None, {"limit_usd": "1"})
    assert refused.value.field == "scope"
