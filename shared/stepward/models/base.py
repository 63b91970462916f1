"""What every backend shares: how a model's name becomes a price, and a usage becomes money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from stepward.domain.errors import InvalidRequest
from stepward.domain.money import Price, Usage
from stepward.models.calculators import calculator
from stepward.models.prices import ALIASES, list_prices


@dataclass(frozen=True)
class Rate:
    """A model's price with its way of counting."""

    model: str
    price: Price

    def cost_usd_micros(self, usage: Usage) -> int:
        """Price a usage in micro-dollars, rounded up."""
        counted = calculator(self.price.calculator).cost_usd_micros(self.model, usage, self.price)
        return max(0, counted)


def model_id(name: str) -> str:
    """Resolve an alias such as `balanced`; an id stands for itself."""
    return ALIASES.get(name, name)


def price_of(name: str, agreed: Mapping[str, Price] | None = None) -> Rate:
    """Find a model's rate, an agreed price before the list's.

    A model without one cannot be run, because nobody could say what it costs.
    """
    model = model_id(name)
    price = (agreed or {}).get(model) or list_prices().get(model)
    if price is None:
        raise _unpriced(name, [*ALIASES, *list_prices(), *(agreed or {})])
    return Rate(model, price)


def _unpriced(name: str, known: list[str]) -> InvalidRequest:
    near = get_close_matches(name, known, n=1)
    meant = f"did you mean {near[0]!r}? Else use" if near else "use"
    return InvalidRequest(
        f"the model {name!r} has no price.",
        field="model",
        fix=f"{meant} one of: {', '.join(known)}; PUT /prices/{{model}} gives a model its price",
    )
