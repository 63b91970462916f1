"""What `GET /costs` adds up, and how prices are agreed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stepward.adapters.memory.costs import MemoryCostBook, MemoryPrices
from stepward.adapters.memory.small_ports import StillClock
from stepward.agents.costs import ShowCosts, TenantPrices
from stepward.agents.finalize import cost_lines
from stepward.domain.costs import CostLine
from stepward.domain.errors import InvalidRequest, NotFound
from stepward.domain.run_state import RunState
from stepward.models.cards import unlisted_models
from stepward.runtime.cached_ports import CachedPrices
from tests.support.builders import a_created, a_turn

PRICE = {
    "input_usd_per_mtok": "1.5",
    "output_usd_per_mtok": 7,
    "source": "our contract",
    "as_of": "2026-11-01",
}


@pytest.fixture
def show() -> ShowCosts:
    book = MemoryCostBook()
    for day, agent, micros in [("2026-10-31", "a1", 1), ("2026-11-01", "a1", 2), ("2026-11-02", "a2", 4)]:
        book.add("acme", CostLine(day=day, agent=agent, model="m", runs=1, model_usd_micros=micros))
    return ShowCosts(book, StillClock(datetime(2026, 11, 21, tzinfo=UTC)))


def test_this_months_days_are_shown_by_default(show: ShowCosts) -> None:
    said = show("acme", {})
    assert (said["by"], said["from"], said["to"]) == ("day", "2026-11-01", "2026-11-21")
    assert [(c["day"], c["total_usd_micros"]) for c in said["costs"]] == [
        ("2026-11-01", 2),
        ("2026-11-02", 4),
    ]
    assert (said["total"]["runs"], said["total"]["model_usd_micros"]) == (2, 6)
    assert show("other", {})["costs"] == []


def test_costs_are_grouped_as_asked(show: ShowCosts) -> None:
    days = {"from": "2026-10-01", "to": "2026-11-30"}
    by_agent = show("acme", {"by": "agent", **days})["costs"]
    assert {c["agent"]: c["model_usd_micros"] for c in by_agent} == {"a1": 3, "a2": 4}
    assert [c["tenant"] for c in show("acme", {"by": "tenant", **days})["costs"]] == ["acme"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"by": "week"}, "by"),
        ({"from": "yesterday"}, "from"),
        ({"to": "20261121"}, "to"),
        ({"from": "2026-11-22", "to": "2026-11-21"}, "from"),
        ({"from": "2026-01-01", "to": "2026-11-21"}, "from"),
    ],
)
def test_a_question_without_sense_is_refused(show: ShowCosts, query: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        show("acme", query)
    assert refused.value.field == field


def _price(prices: TenantPrices, model: str, tenant: str = "acme") -> dict[str, Any]:
    return next(p for p in prices.show(tenant)["prices"] if p["model"] == model)


def test_an_agreed_price_is_the_tenants_own() -> None:
    prices = TenantPrices(MemoryPrices())
    assert _price(prices, "claude-sonnet-5-5")["agreed"] is False
    prices.put("acme", "balanced", PRICE)
    shown = _price(prices, "claude-sonnet-5-5")
    assert (shown["agreed"], shown["input_usd_per_mtok"], shown["source"]) == (True, "1.5", "our contract")
    assert _price(prices, "claude-sonnet-5-5", "other")["agreed"] is False
    prices.remove("acme", "balanced")
    assert _price(prices, "claude-sonnet-5-5")["agreed"] is False
    with pytest.raises(NotFound):
        prices.remove("acme", "balanced")


def test_a_model_of_ones_own_gets_a_price() -> None:
    prices = TenantPrices(MemoryPrices())
    prices.put("acme", "our-own:7b", PRICE)
    assert _price(prices, "our-own:7b")["output_usd_per_mtok"] == "7"


def test_a_price_for_all_gives_way_to_a_tenants_own() -> None:
    store = MemoryPrices()
    prices = TenantPrices(store)
    prices.put("acme", "fast", PRICE)
    store.change(None, store.versioned("acme")[0], 0)
    assert _price(prices, "claude-haiku-5-5", "other")["agreed"] is True
    prices.put("acme", "fast", {**PRICE, "source": "newer"})
    assert _price(prices, "claude-haiku-5-5")["source"] == "newer"


@pytest.mark.parametrize(
    ("model", "body", "field"),
    [
        ("fast", {**PRICE, "input_usd_per_mtok": -1}, "input_usd_per_mtok"),
        ("fast", {**PRICE, "output_usd_per_mtok": 10**9}, "output_usd_per_mtok"),
        ("fast", {**PRICE, "as_of": "today"}, "as_of"),
        ("fast", {name: value for name, value in PRICE.items() if name != "source"}, "source"),
        ("fast", {**PRICE, "calculator": "nobodys"}, "calculator"),
        ("fast", {**PRICE, "calculator": "discount"}, "terms.percent"),
        ("a b", PRICE, "model"),
        ("x" * 200, PRICE, "model"),
    ],
)
def test_a_price_that_cannot_be_counted_with_is_refused(model: str, body: dict[str, Any], field: str) -> None:
    prices = TenantPrices(MemoryPrices())
    with pytest.raises(InvalidRequest) as refused:
        prices.put("acme", model, body)
    assert refused.value.field == field


def test_prices_are_remembered_for_a_minute() -> None:
    store, clock = MemoryPrices(), StillClock()
    remembered = CachedPrices(store, clock)
    assert remembered.of("acme") == {}
    TenantPrices(store).put("acme", "fast", PRICE)
    assert remembered.of("acme") == {}
    clock.forward(60)
    assert list(remembered.of("acme")) == ["claude-haiku-5-5"]


def test_a_price_of_all_tenants_is_not_looked_for_among_ones_own() -> None:
    prices = TenantPrices(MemoryPrices())
    prices.put(None, "fast", PRICE)
    with pytest.raises(NotFound) as refused:
        prices.remove("acme", "fast")
    assert "--all-tenants" in str(refused.value.fix)


def test_a_model_that_got_its_first_price_has_it_at_once() -> None:
    store, clock = MemoryPrices(), StillClock()
    remembered = CachedPrices(store, clock)
    assert remembered.of("acme", unlisted_models("ours/llama-4", "fast")) == {}
    TenantPrices(store).put("acme", "ours/llama-4", PRICE)
    assert remembered.of("acme") == {}
    assert list(remembered.of("acme", unlisted_models("ours/llama-4", "fast"))) == ["ours/llama-4"]


def test_a_run_of_very_many_agents_fits_into_one_transaction_and_loses_nothing() -> None:
    state = RunState(created=a_created())
    for number in range(200):
        state.ledger.book_turn(a_turn(agent=f"agent-{number}", model="m", cost_usd_micros=number))
    lines = cost_lines(state, "2026-01-01")
    assert len(lines) <= 60
    assert sum(line.model_usd_micros for line in lines) == sum(range(200))
    assert (sum(line.runs for line in lines), sum(line.turns for line in lines)) == (1, 200)
