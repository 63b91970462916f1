"""What a run draws from, and what a limit may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from stepward.domain.budgets import Budget, BudgetRef, BudgetScope, TenantLimits, refs_for

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
ALL = (
    Budget(scope=BudgetScope.TENANT, limit_usd_micros=4),
    Budget(scope=BudgetScope.DAY, limit_usd_micros=1),
    Budget(scope=BudgetScope.MONTH, limit_usd_micros=3),
    Budget(scope=BudgetScope.AGENT, id="support", limit_usd_micros=2),
    Budget(scope=BudgetScope.AGENT, id="billing", limit_usd_micros=9),
)


def test_a_run_draws_from_every_budget_that_counts_it() -> None:
    drawn = {ref.item_key: limit for ref, limit in refs_for(ALL, "support", AT)}
    assert drawn == {"tenant##": 4, "day##2026-11-21": 1, "month##2026-11": 3, "agent#support#": 2}


def test_days_are_utc() -> None:
    late = datetime(2026, 11, 21, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert ALL[1].ref(late).item_key == "day##2026-11-22"


def test_people_are_told_a_budget_in_words_and_never_by_its_key() -> None:
    told = [BudgetRef.of(budget.ref(AT).item_key).in_words for budget in ALL]
    assert told == [
        "the tenant's budget",
        "the day's budget (2026-11-21)",
        "the month's budget (2026-11)",
        "the budget of agent support",
        "the budget of agent billing",
    ]


def test_an_items_key_can_be_read_back() -> None:
    for budget in ALL:
        assert BudgetRef.of(budget.ref(AT).item_key) == budget.ref(AT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": "day", "limit_usd_micros": -1},
        {"scope": "day", "limit_usd_micros": 10**16},
        {"scope": "day", "id": "support", "limit_usd_micros": 1},
        {"scope": "agent", "limit_usd_micros": 1},
        {"scope": "agent", "id": "No#Name", "limit_usd_micros": 1},
        {"scope": "week", "limit_usd_micros": 1},
    ],
)
def test_an_absurd_budget_is_no_budget(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate(wrong)


def test_one_budget_stands_for_one_thing() -> None:
    limits = TenantLimits(budgets=ALL[:2]).with_budget(Budget(scope=BudgetScope.DAY, limit_usd_micros=7))
    assert [(b.scope.value, b.limit_usd_micros) for b in limits.budgets] == [("tenant", 4), ("day", 7)]
    assert limits.without_budget(BudgetScope.TENANT, None).budgets == limits.budgets[1:]
