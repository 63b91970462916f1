"""What a model call costs: exact, rounded up, by the tier of its prompt, counted as its price says."""

from __future__ import annotations

from decimal import Decimal
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward.domain.errors import InvalidRequest
from stepward.domain.money import Price, Usage
from stepward.models import calculators
from stepward.models.base import price_of
from stepward.models.calculators import calculator
from stepward.models.cards import ALIASES, list_prices
from tests.support.draws import drawn

TOKENS = st.integers(0, 2_000_000)
USAGES = st.builds(
    Usage, input_tokens=TOKENS, output_tokens=TOKENS, cache_read_tokens=TOKENS, cache_write_tokens=TOKENS
)
MODELS = st.sampled_from(sorted(list_prices()))


def a_price(**changed: Any) -> Price:
    fields = {
        "input_usd_per_mtok": "2",
        "output_usd_per_mtok": "10",
        "source": "a test",
        "as_of": "2026-11-01",
    }
    return Price.model_validate({**fields, **changed})


def test_every_price_says_where_and_when_it_was_read() -> None:
    assert len(list_prices()) >= 16
    assert all(price.source and price.as_of >= "2026-11-01" for price in list_prices().values())
    assert {price_of(alias).model for alias in ALIASES} <= set(list_prices())


def test_cached_tokens_have_their_own_prices() -> None:
    rate = price_of("claude-opus-5-5")
    million = 1_000_000
    assert rate.cost_usd_micros(Usage(input_tokens=million)) == 4_000_000
    assert rate.cost_usd_micros(Usage(output_tokens=million)) == 20_000_000
    assert rate.cost_usd_micros(Usage(cache_read_tokens=million)) == 200_000
    assert rate.cost_usd_micros(Usage(cache_write_tokens=million)) == 5_000_000


def test_a_long_prompt_costs_the_long_tier_for_the_whole_call() -> None:
    rate = price_of("gpt-6-luna")
    at_the_bound = Usage(input_tokens=272_000, output_tokens=1_000)
    beyond = Usage(input_tokens=271_000, cache_read_tokens=1_001, output_tokens=1_000)
    assert rate.cost_usd_micros(at_the_bound) == 27_200 + 500
    assert rate.cost_usd_micros(beyond) == 271_000 * Decimal("0.2") + 21 + 750


@drawn(100)
@given(MODELS, USAGES, USAGES)
def test_costs_are_never_negative_and_never_less_than_exact(model: str, one: Usage, other: Usage) -> None:
    rate = price_of(model)
    for usage in (one, other):
        exact = rate.price.tier(usage).exact_usd_micros(usage)
        assert 0 <= exact <= rate.cost_usd_micros(usage) < exact + 1


@drawn(100)
@given(MODELS, USAGES)
def test_more_tokens_never_cost_less(model: str, usage: Usage) -> None:
    more = usage.model_copy(update={"input_tokens": usage.input_tokens + 1})
    assert price_of(model).cost_usd_micros(more) >= price_of(model).cost_usd_micros(usage)


def test_an_agreed_price_stands_before_the_list() -> None:
    agreed = {"claude-sonnet-5-5": a_price(input_usd_per_mtok="1"), "our-own": a_price()}
    assert price_of("balanced", agreed).cost_usd_micros(Usage(input_tokens=10)) == 10
    assert price_of("our-own", agreed).cost_usd_micros(Usage(input_tokens=10)) == 20


def test_an_unknown_price_is_named_with_the_nearest() -> None:
    with pytest.raises(InvalidRequest) as refused:
        price_of("claude-sonet-5-5")
    assert refused.value.field == "model"
    assert "did you mean 'claude-sonnet-5-5'" in str(refused.value.fix)
    assert "PUT /prices/" in str(refused.value.fix)


def test_a_discount_is_a_calculator() -> None:
    price = a_price(calculator="discount", terms={"percent": 25})
    calculator("discount").check(price)
    assert price_of("m", {"m": price}).cost_usd_micros(Usage(input_tokens=10, output_tokens=1)) == 23


@pytest.mark.parametrize(
    "terms", [{}, {"percent": -1}, {"percent": 101}, {"percent": "half"}, {"percent": "NaN"}]
)
def test_a_discount_without_its_percentage_is_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        calculator("discount").check(a_price(calculator="discount", terms=terms))
    assert refused.value.field == "terms.percent"


def test_terms_that_nobody_would_heed_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        calculator("tokens").check(a_price(terms={"percent": 5}))


class _PerCall:
    def load(self) -> Any:
        return lambda: self

    def cost_usd_micros(self, model: str, usage: Usage, price: Price) -> int:
        return int(price.terms["a_call"])


def test_a_package_may_bring_a_calculator(monkeypatch: pytest.MonkeyPatch) -> None:
    class Found(list[_PerCall]):
        names = frozenset({"per-call"})

    monkeypatch.setattr(
        calculators,
        "entry_points",
        lambda group, name=None: Found([_PerCall()] if name == "per-call" else []),
    )
    calculator.cache_clear()
    price = a_price(calculator="per-call", terms={"a_call": 7})
    assert price_of("m", {"m": price}).cost_usd_micros(Usage(input_tokens=10**6)) == 7
    with pytest.raises(InvalidRequest, match="there is no calculator"):
        calculator("nothing")
    calculator.cache_clear()


@pytest.mark.parametrize(
    ("model", "usage", "usd_micros"),
    [
        # Anthropic counts input apart from what its cache read and wrote, for five minutes and for an hour.
        (
            "claude-sonnet-5-5",
            {"input": 1_000, "write_5m": 200, "write_1h": 300, "read": 4_000, "output": 500},
            1_000 * 2 + Decimal("2.5") * 200 + 4 * 300 + Decimal("0.1") * 4_000 + 10 * 500,
        ),
        ("claude-fable-5-1", {"write_1h": 7, "output": 3}, 20 * 7 + 50 * 3),
        # Haiku's tier is chosen by all that was read, what the cache gave and took too: 100,000 is the last of the short.
        (
            "claude-haiku-5-5",
            {"input": 10_000, "write_1h": 40_000, "read": 50_000, "output": 1_000},
            1_000 + 8_000 + 500 + 500,
        ),
        (
            "claude-haiku-5-5",
            {"input": 10_001, "write_1h": 40_000, "read": 50_000, "output": 1_000},
            Decimal("0.5") * 10_001 + 40_000 + 2_500 + 2_500,
        ),
        # OpenAI's reasoning is a part of the output and costs what the rest of it does.
        (
            "gpt-6-luna",
            {"input": 4_000, "read": 268_000, "output": 2_000, "reasoning": 1_500},
            400 + 2_680 + 1_000,
        ),
        (
            "gpt-5.6-terra",
            {"input": 4_001, "read": 200_000, "write_5m": 68_000, "output": 2_000},
            4 * 4_001 + Decimal("0.4") * 200_000 + 5 * 68_000 + 18 * 2_000,
        ),
        ("bedrock/claude-opus-5-5", {"input": 3, "write_1h": 1, "output": 1}, 4 * 3 + 8 + 20),
        # One micro-dollar is the least that a call costs.
        ("gpt-6-luna", {"read": 1}, 1),
    ],
)
def test_a_call_costs_what_its_vendor_says(
    model: str, usage: dict[str, int], usd_micros: Decimal | int
) -> None:
    counted = Usage(
        input_tokens=usage.get("input", 0),
        output_tokens=usage.get("output", 0),
        cache_read_tokens=usage.get("read", 0),
        cache_write_tokens=usage.get("write_5m", 0),
        cache_write_1h_tokens=usage.get("write_1h", 0),
        reasoning_tokens=usage.get("reasoning", 0),
    )
    assert price_of(model).cost_usd_micros(counted) == ceil(usd_micros)


def test_an_hour_in_the_cache_without_a_price_costs_what_five_minutes_do() -> None:
    rate = price_of("m", {"m": a_price(cache_write_usd_per_mtok=3)})
    assert rate.cost_usd_micros(Usage(cache_write_1h_tokens=10)) == 30
    assert price_of("m", {"m": a_price()}).cost_usd_micros(Usage(cache_write_1h_tokens=10)) == 20
