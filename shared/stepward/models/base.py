"""What every backend shares: how a model's name becomes a price."""

from __future__ import annotations

from stepward.domain.errors import InvalidRequest
from stepward.domain.money import Price
from stepward.models.prices import ALIASES, PRICES


def model_id(name: str) -> str:
    """Resolve an alias such as `balanced`; an id stands for itself."""
    return ALIASES.get(name, name)


def price_of(name: str) -> Price:
    """Find a model's price; a model without one cannot be run, because nobody could say what it costs."""
    price = PRICES.get(model_id(name))
    if price is None:
        known = ", ".join([*ALIASES, *PRICES])
        raise InvalidRequest(f"the model {name!r} has no price.", field="model", fix=f"use one of: {known}")
    return price
