"""What is known of models: every entry says where it comes from, and how long its calls may take."""

from __future__ import annotations

from datetime import date

import pytest

from stepward.domain.errors import InvalidRequest
from stepward.domain.model_cards import MOST_CALL_S, ModelCard
from stepward.domain.money import Price
from stepward.models.base import price_of
from stepward.models.cards import ALIASES, card_of, list_prices, listed_card, listed_models, offered_models
from stepward.models.gateway import CLIENTS
from stepward.ports.providers import KNOWN

CARDS = [listed_card(model) for model in listed_models()]
TODAY = date(2026, 11, 30)


def a_card(name: str) -> ModelCard:
    card = card_of(name)
    assert card is not None
    return card


@pytest.mark.parametrize("card", CARDS, ids=listed_models())
def test_every_card_holds_together(card: ModelCard) -> None:
    assert card.source
    assert card.as_of >= "2026-11-01"
    if card.price is None:
        assert card.ended(TODAY)
        return
    assert card.context_tokens
    assert card.max_output_tokens is not None
    assert (card.max_input_tokens or 0) < card.context_tokens
    assert 0 < card.max_call_s <= MOST_CALL_S
    assert (card.price.context_tokens, card.price.max_output_tokens) == (
        card.context_tokens,
        card.max_output_tokens or None if card.capabilities.text else card.max_output_tokens,
    )
    caps = card.capabilities
    assert set(caps.efforts_without_thinking or ()) <= set(caps.efforts)
    assert ("1h" in caps.cache_ttls) == (card.price.cache_write_1h_usd_per_mtok is not None)
    assert caps.text or not (caps.tools or caps.thinking or caps.efforts)


@pytest.mark.parametrize("card", CARDS, ids=listed_models())
def test_a_successor_is_a_model_that_lasts_longer(card: ModelCard) -> None:
    if card.successor:
        following = a_card(card.successor)
        assert card.ends_on is not None
        assert following.ends_on is None or following.ends_on > card.ends_on


def test_aliases_stand_for_models_that_do_not_end() -> None:
    assert ALIASES == {
        "fast": "claude-haiku-5-5",
        "balanced": "claude-sonnet-5-5",
        "deep": "claude-opus-5-5",
    }
    assert all(a_card(alias).ends_on is None for alias in ALIASES)


def test_what_is_offered_writes_text_and_lasts() -> None:
    offered = offered_models()
    assert {"claude-haiku-5-5", "gpt-6-luna", "bedrock/claude-opus-5-5"} <= set(offered)
    assert not {"gpt-4", "gpt-4o", "claude-sonnet-4-5", "text-embedding-3-small"} & set(offered)


def test_a_long_tier_prices_all_that_the_short_one_does() -> None:
    for model, price in list_prices().items():
        short, long = price.model_dump(exclude_none=True), price.long_context
        if long is not None:
            per_token = {name for name in short if name.endswith("_per_mtok")}
            assert per_token <= set(long.model_dump(exclude_none=True)), model


def test_bedrock_asks_what_the_vendor_asks() -> None:
    for model in listed_models():
        if model.startswith("bedrock/"):
            here, there = list_prices()[model], list_prices()[model.removeprefix("bedrock/")]
            apart = {"source", "as_of", "note"}
            assert here.model_dump(exclude=apart) == there.model_dump(exclude=apart)


def test_the_life_of_a_model() -> None:
    sonnet = a_card("claude-sonnet-4-5")
    days = [date(2026, 10, 1), date(2026, 10, 2), date(2026, 11, 29), TODAY]
    assert [sonnet.ends_soon(day) for day in days] == [True, True, True, True]
    assert [sonnet.ended(day) for day in days] == [False, False, False, True]
    assert not sonnet.ends_soon(date(2026, 9, 30))
    assert not a_card("balanced").ends_soon(TODAY)


def test_a_call_may_take_as_long_as_its_output_needs() -> None:
    card = a_card("balanced")
    assert [card.call_s(tokens) for tokens in (1, 1_024, 16_384, 128_000)] == [61, 89, 521, MOST_CALL_S]
    assert card.max_call_s == MOST_CALL_S
    assert a_card("gpt-4o").max_call_s == 521


def test_a_model_of_ones_own_belongs_to_the_provider_that_its_id_names() -> None:
    price = Price(
        input_usd_per_mtok=1, output_usd_per_mtok=2, source="ours", as_of="2026-11-01", context_tokens=32_768
    )
    card = card_of("our-vllm/meta/llama", {"our-vllm/meta/llama": price})
    assert card is not None
    assert (card.provider, card.vendor_id, card.context_tokens) == ("our-vllm", "meta/llama", 32_768)
    caps = card.capabilities
    assert (caps.text, caps.tools, caps.streaming) == (True, True, True)
    assert not (caps.images or caps.structured_output or caps.thinks or caps.efforts or caps.cache_ttls)
    assert card.max_call_s == MOST_CALL_S
    assert card_of("our-vllm/meta/llama") is None


def test_an_agreed_price_stands_on_the_card() -> None:
    price = Price(input_usd_per_mtok=1, output_usd_per_mtok=2, source="ours", as_of="2026-11-01")
    card = card_of("balanced", {"claude-sonnet-5-5": price})
    assert card is not None
    assert (card.price, card.context_tokens) == (price, 1_000_000)


def test_a_model_that_ended_without_a_price_names_its_successor() -> None:
    with pytest.raises(InvalidRequest) as refused:
        price_of("gpt-4")
    assert "ended on 2026-10-23" in refused.value.detail
    assert (refused.value.field, refused.value.fix) == ("model", "use 'gpt-5.6-sol'")


def test_every_kind_of_provider_has_a_client_and_every_built_in_one_its_models() -> None:
    assert {*KNOWN["kinds"]} == {*CLIENTS}
    for name, facts in KNOWN["built_in"].items():
        assert {*facts["kinds"]} <= {*KNOWN["kinds"]}
        assert any(card.provider == name for model in listed_models() if (card := listed_card(model)))
