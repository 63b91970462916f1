"""Budgets and limits as a tenant sets them, and the alerts that are told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stepward.adapters.memory.costs import MemoryBudgets, MemoryLimitsConfig
from stepward.adapters.memory.small_ports import MemoryEvents, StillClock
from stepward.agents.budgets import EVENT, AlertBudgets, TenantMoney
from stepward.domain.errors import InvalidRequest, NotFound, StoreConflict
from tests.support.builders import AT

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = "day##2026-11-21"


def _knows(tenant: str, agent: str) -> bool:
    return (tenant, agent) == ("acme", "helper")


@pytest.fixture
def money() -> TenantMoney:
    return TenantMoney(MemoryLimitsConfig(), MemoryBudgets(), _knows, StillClock(NOON))


def test_budgets_are_shown_with_what_remains(money: TenantMoney) -> None:
    money.put("acme", "day", None, {"limit_usd": 0.0001})
    money.put("acme", "agent", "helper", {"limit_usd": "2"})
    money.budgets.draw("acme", DAY, 100, 30)  # type: ignore[attr-defined]
    shown = {b["scope"]: b for b in money.show("acme")["budgets"]}
    assert shown["day"] == {
        "scope": "day", "id": "", "period": "2026-11-21", "limit_usd_micros": 100, "remaining_usd_micros": 70,
        "committed_usd_micros": 30, "percent": 30, "alerts": {}, "refused_at": None,
    }  # fmt: skip
    assert (shown["agent"]["id"], shown["agent"]["remaining_usd_micros"]) == ("helper", 2_000_000)
    assert money.show("other") == {"budgets": []}


def test_a_new_limit_keeps_what_was_spent(money: TenantMoney) -> None:
    money.put("acme", "day", None, {"limit_usd": 0.0001})
    money.budgets.draw("acme", DAY, 100, 90)  # type: ignore[attr-defined]
    shown = money.put("acme", "day", None, {"limit_usd": 0.0002})
    assert (shown["limit_usd_micros"], shown["remaining_usd_micros"]) == (200, 110)
    assert money.put("acme", "day", None, {"limit_usd": 0.0002}) == shown


def test_a_change_just_before_midnight_holds_after_it(money: TenantMoney) -> None:
    money.put("acme", "day", None, {"limit_usd": 0.0001})
    money.clock.forward(12 * 3600 - 5)  # type: ignore[attr-defined]
    money.budgets.draw("acme", "day##2026-11-22", 100, 10)  # type: ignore[attr-defined]
    money.put("acme", "day", None, {"limit_usd": 0.0003})
    money.clock.forward(10)  # type: ignore[attr-defined]
    assert money.show("acme")["budgets"][0]["remaining_usd_micros"] == 290


def test_a_removed_budget_bounds_nothing(money: TenantMoney) -> None:
    money.put("acme", "month", None, {"limit_usd": 1})
    money.remove("acme", "month", None)
    assert money.show("acme") == {"budgets": []}
    with pytest.raises(NotFound):
        money.remove("acme", "month", None)


@pytest.mark.parametrize(
    ("scope", "id_", "body", "field"),
    [
        ("day", None, {"limit_usd": -1}, "limit_usd"),
        ("day", None, {"limit_usd": 10**10}, "limit_usd"),
        ("day", None, {"limit_usd": 0.0000001}, "limit_usd"),
        ("day", None, {"limit_usd": "NaN"}, "limit_usd"),
        ("day", None, {"limit": 1}, "limit_usd"),
        ("week", None, {"limit_usd": 1}, "scope"),
        ("day", "helper", {"limit_usd": 1}, "id"),
        ("agent", None, {"limit_usd": 1}, "id"),
        ("agent", "Not#An#Id", {"limit_usd": 1}, "id"),
    ],
)
def test_an_absurd_budget_is_refused(
    money: TenantMoney, scope: str, id_: str | None, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        money.put("acme", scope, id_, body)
    assert (refused.value.field, bool(refused.value.fix)) == (field, True)
    assert money.show("acme") == {"budgets": []}


def test_a_budget_for_nobody_is_refused(money: TenantMoney) -> None:
    with pytest.raises(NotFound):
        money.put("acme", "agent", "helpr", {"limit_usd": 1})


def test_somebody_elses_change_is_not_lost(money: TenantMoney) -> None:
    class Late(MemoryLimitsConfig):
        late = True

        def change(self, tenant: str, limits: Any, version: int) -> None:
            if self.late:
                self.late = False
                super().change(tenant, limits.model_copy(update={"active": 7, "budgets": ()}), version)
                raise StoreConflict("somebody else was first.")
            super().change(tenant, limits, version)

    late = TenantMoney(Late(), money.budgets, _knows, money.clock)
    late.put("acme", "day", None, {"limit_usd": 1})
    assert late.limits.tenant("acme").active == 7
    assert len(late.show("acme")["budgets"]) == 1


def test_each_level_is_told_once(money: TenantMoney) -> None:
    events = MemoryEvents()
    alert = AlertBudgets(money.budgets, events, money.clock)
    budgets: Any = money.budgets
    assert alert() == []
    told = []
    for drawn in (40, 15, 5, 25, 15):
        budgets.draw("acme", DAY, 100, drawn)
        told += [each.percent for each in alert()]
        assert alert() == []
    assert told == [50, 80, 100]
    source, kind, detail = events.events[1]
    assert (source, kind) == ("stepward", EVENT)
    assert detail["id"] == f"acme#{DAY}#100#80"
    assert (detail["tenant"], detail["remaining_usd_micros"]) == ("acme", 15)


def test_a_refused_run_is_the_last_level(money: TenantMoney) -> None:
    budgets: Any = money.budgets
    budgets.draw("acme", DAY, 100, 60)
    budgets.refused("acme", DAY, AT)
    alert = AlertBudgets(budgets, MemoryEvents(), money.clock)
    assert [(each.percent, each.refused_at) for each in alert()] == [(100, AT)]


def test_an_alert_that_could_not_be_told_is_told_later(money: TenantMoney) -> None:
    class Broken(MemoryEvents):
        def put(self, *said: Any) -> None:
            raise ConnectionError

    budgets: Any = money.budgets
    budgets.draw("acme", DAY, 100, 60)
    with pytest.raises(ConnectionError):
        AlertBudgets(budgets, Broken(), money.clock)()
    assert [each.percent for each in AlertBudgets(budgets, MemoryEvents(), money.clock)()] == [50]
