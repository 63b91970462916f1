"""The models that are known, as data with source and date, from the files beside this one.

Adding a model is an entry in its provider's file under `data`; adding a provider is a file there, and an
entry in `ports/providers.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from stepward.domain.model_cards import Capabilities, ModelCard
from stepward.domain.money import Price
from stepward.ports.providers import BUILT_IN

_DATA: Final = Path(__file__).with_name("data")
ALIASES: Final[Mapping[str, str]] = json.loads((_DATA / "aliases.json").read_text())
"""Other names of models; an alias is resolved at each call and never stored."""
PROVIDERS: Final = tuple(entry.name for entry in BUILT_IN)
"""The providers whose models are listed; each has a file."""


def model_id(name: str) -> str:
    """Resolve an alias such as `balanced`; an id is returned as it is."""
    return ALIASES.get(name, name)


@cache
def listed_card(model: str) -> ModelCard | None:
    """Find a listed model's card by its id; None for one that is not listed."""
    for provider in PROVIDERS:
        table = _table(provider)
        if model in table["models"]:
            return _card(model, table)
    return None


def card_of(name: str, agreed: Mapping[str, Price] | None = None) -> ModelCard | None:
    """Find a model's card, with the price that applies.

    Args:
        name: Its id, or an alias.
        agreed: Prices that were agreed otherwise than by list, by the model's id.

    Returns:
        The model's card. One that is not listed but has an agreed price is taken to write text, call tools, stream and take
        a temperature, and to belong to the provider that its id begins with, as in `our-vllm/llama`; None without a price.
    """
    model = model_id(name)
    price, listed = (agreed or {}).get(model), listed_card(model)
    if listed is not None:
        return listed if price is None else listed.model_copy(update={"price": price})
    return None if price is None else _unlisted(model, price)


@cache
def listed_models() -> tuple[str, ...]:
    """List the ids of all listed models."""
    return tuple(model for provider in PROVIDERS for model in _table(provider)["models"])


@cache
def offered_models() -> tuple[str, ...]:
    """List the ids of models worth naming in an agent.

    They write text, and no end of them is known.
    """
    cards = [card for card in map(listed_card, listed_models()) if card is not None]
    return tuple(card.id for card in cards if card.capabilities.text and card.ends_on is None)


@cache
def list_prices() -> dict[str, Price]:
    """Read every price by list; a model that has ended and has none is not among them."""
    cards = (listed_card(model) for model in listed_models())
    return {card.id: card.price for card in cards if card is not None and card.price is not None}


def list_price(model: str) -> Price | None:
    """Read one model's price by list."""
    card = listed_card(model)
    return card.price if card else None


def unlisted_models(*names: str) -> list[str]:
    """List the ids, of models or aliases, that have no list price and need an agreed one."""
    return [model for model in map(model_id, names) if list_price(model) is None]


@cache
def _table(provider: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((_DATA / f"{provider}.json").read_text())
    return table


def _card(model: str, table: Mapping[str, Any]) -> ModelCard:
    """Merge a model's entry over what its file says of all models."""
    own: dict[str, Any] = dict(table["models"][model])
    limits = {name: own[name] for name in ("context_tokens", "max_output_tokens") if name in own}
    dated = {"source": table["price_source"], "as_of": table["price_as_of"]}
    if "price" in own:
        own["price"] = {**dated, **limits, **own["price"]}
    own["capabilities"] = {**table["capabilities"], **own.get("capabilities", {})}
    shared = {
        "id": model,
        "vendor_id": model,
        **{name: table[name] for name in ("provider", "source", "as_of")},
    }
    return ModelCard.model_validate({**shared, **own})


def _unlisted(model: str, price: Price) -> ModelCard:
    provider, slash, rest = model.partition("/")
    return ModelCard(
        id=model,
        provider=provider if slash else "",
        vendor_id=rest or model,
        capabilities=Capabilities(temperature="always"),
        context_tokens=price.context_tokens,
        max_output_tokens=price.max_output_tokens,
        price=price,
        source=price.source,
        as_of=price.as_of,
        note="not listed: taken to write text, call tools, stream and take a temperature",
    )
