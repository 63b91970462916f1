"""Prices of models: how a model's name becomes a price, and a usage becomes money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stepward.domain.errors import InvalidRequest
from stepward.domain.model_cards import ModelCard
from stepward.domain.money import Price, Usage
from stepward.domain.nearest import nearest
from stepward.models.calculators import calculator
from stepward.models.cards import ALIASES, list_price, listed_card, model_id, offered_models

__all__ = ["Rate", "ended", "model_id", "price_of"]


@dataclass(frozen=True)
class Rate:
    """A model's price, with the calculator that it names."""

    model: str
    price: Price

    def cost_usd_micros(self, usage: Usage) -> int:
        """Price a usage in micro-dollars, rounded up."""
        counted = calculator(self.price.calculator).cost_usd_micros(self.model, usage, self.price)
        return max(0, counted)


def price_of(name: str, agreed: Mapping[str, Price] | None = None) -> Rate:
    """Find a model's rate, an agreed price before the list's.

    A model without one cannot be run, because its cost would be unknown.
    """
    model = model_id(name)
    price = (agreed or {}).get(model) or list_price(model)
    if price is None:
        raise _unpriced(name, [*ALIASES, *offered_models(), *(agreed or {})])
    return Rate(model, price)


def ended(name: str, card: ModelCard) -> InvalidRequest:
    """Return the error for a model that its provider has ended; the fix names its successor."""
    return InvalidRequest(
        f"the model {name!r} ended on {card.ends_on}: {card.provider} answers no more.",
        field="model",
        fix=f"use {card.successor!r}" if card.successor else "use another one: GET /models lists them",
    )


def _unpriced(name: str, known: list[str]) -> InvalidRequest:
    card = listed_card(model_id(name))
    if card is not None and card.ends_on is not None:
        return ended(name, card)
    near = nearest(name, known)
    meant = f"did you mean {near!r}? Else use" if near else "use"
    return InvalidRequest(
        f"the model {name!r} has no price.",
        field="model",
        fix=f"{meant} {', '.join(ALIASES)} or one of GET /models; PUT /prices/{{model}} gives a model its price",
    )
