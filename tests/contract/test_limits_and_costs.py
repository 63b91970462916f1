"""What limits and the book of costs promise, in memory and on AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.configuration import DynamoLimitsConfig
from stepward.adapters.aws.cost_book import DynamoCostBook, add_item
from stepward.adapters.memory.costs import MemoryCostBook, MemoryLimitsConfig
from stepward.adapters.memory.registry import MemoryRegistry
from stepward.domain.budgets import AccountLimits, Budget, BudgetScope, TenantLimits
from stepward.domain.costs import CostLine
from stepward.domain.errors import StoreConflict

LINE = CostLine(day="2026-01-02", agent="helper", model="balanced", runs=1, turns=2, model_usd_micros=30)
SAVED = LINE.model_copy(update={"response_cache_hits": 2, "saved_tokens": 900, "saved_usd_micros": 70})


class _AddingBook(DynamoCostBook):
    shard = 0

    def add(self, tenant: str, line: CostLine) -> None:
        object.__setattr__(self, "shard", (self.shard + 1) % 4)
        client("dynamodb").transact_write_items(
            TransactItems=[add_item(self.table, tenant, line, self.shard)]
        )


@dataclass
class Money:
    limits: Any
    costs: Any


@pytest.fixture
def money(ports: Any) -> Money:
    if isinstance(ports.registry, MemoryRegistry):
        return Money(MemoryLimitsConfig(), MemoryCostBook())
    return Money(DynamoLimitsConfig("registry"), _AddingBook("runtime"))


def test_limits_have_defaults(money: Money) -> None:
    assert money.limits.versioned("acme") == (TenantLimits(), 0)
    assert money.limits.account() == AccountLimits(active=100, shards=1)


def test_limits_come_back_as_written(money: Money) -> None:
    budget = Budget(scope=BudgetScope.AGENT, id="helper", limit_usd_micros=5)
    money.limits.change("acme", TenantLimits(active=3).with_budget(budget), 0)
    money.limits.change_account(AccountLimits(active=7, shards=2))
    assert money.limits.tenant("acme").active == 3
    assert money.limits.tenant("acme").budgets == (budget,)
    assert money.limits.tenant("other") == TenantLimits()
    assert money.limits.account() == AccountLimits(active=7, shards=2)


def test_limits_are_changed_over_the_version_that_was_read_only(money: Money) -> None:
    money.limits.change("acme", TenantLimits(active=3), 0)
    for stale in (0, 2):
        with pytest.raises(StoreConflict):
            money.limits.change("acme", TenantLimits(active=9), stale)
    money.limits.change("acme", TenantLimits(active=4), 1)
    assert money.limits.versioned("acme") == (TenantLimits(active=4), 2)


def test_costs_are_added_up_by_day_agent_and_model(money: Money) -> None:
    for _ in range(5):
        money.costs.add("acme", LINE)
    money.costs.add("acme", LINE.model_copy(update={"model": "deep", "aws_usd_micros": 4}))
    money.costs.add("other", LINE)
    found = {line.model: line for line in money.costs.lines("acme", "2026-01-02", "2026-01-02")}
    assert (found["balanced"].runs, found["balanced"].model_usd_micros) == (5, 150)
    assert (found["deep"].runs, found["deep"].aws_usd_micros) == (1, 4)


def test_what_the_response_cache_saved_is_added_up_apart(money: Money) -> None:
    for line in (LINE, SAVED, SAVED):
        money.costs.add("acme", line)
    (found,) = money.costs.lines("acme", "2026-01-01", "2026-01-31")
    assert (found.response_cache_hits, found.saved_tokens, found.saved_usd_micros) == (4, 1_800, 140)
    assert found.total_usd_micros == 90


def test_costs_are_read_from_the_first_day_to_the_last(money: Money) -> None:
    for day in ("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"):
        money.costs.add("acme", LINE.model_copy(update={"day": day}))
    days = [line.day for line in money.costs.lines("acme", "2026-01-02", "2026-01-03")]
    assert days == ["2026-01-02", "2026-01-03"]
