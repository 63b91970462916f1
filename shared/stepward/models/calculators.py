"""Ways to compute what a model call costs; a price names one, packages may add more."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.metadata import entry_points
from typing import Final

from stepward.domain.errors import InvalidRequest
from stepward.domain.money import Price, Usage, rounded_up
from stepward.domain.numbers import as_written
from stepward.ports.costs import CostCalculator

GROUP: Final = "stepward.cost_calculators"


class PerToken:
    """Computes by the list: tokens times prices, in the tier that the prompt's length gives."""

    def check(self, price: Price) -> None:
        """Refuse terms, because this calculator has none."""
        if price.terms:
            raise InvalidRequest(
                f"the calculator {price.calculator!r} has no terms.", field="terms", fix="leave `terms` out"
            )

    def cost_usd_micros(self, model: str, usage: Usage, price: Price) -> int:
        """Price a usage."""
        del model
        return price.cost_usd_micros(usage)


class Discount:
    """Computes by the list, less a percentage."""

    def check(self, price: Price) -> None:
        """Refuse anything but one percentage."""
        if set(price.terms) != {"percent"} or not 0 <= _percent(price) <= 100:
            raise InvalidRequest(
                "the calculator 'discount' needs its percentage.",
                field="terms.percent",
                fix='write a number from 0 to 100, as in {"percent": 15}',
            )

    def cost_usd_micros(self, model: str, usage: Usage, price: Price) -> int:
        """Price a usage."""
        del model
        exact = price.tier(usage).exact_usd_micros(usage)
        return rounded_up(exact * (100 - _percent(price)) / 100)


CATALOG: Final[dict[str, type[CostCalculator]]] = {"tokens": PerToken, "discount": Discount}


@cache
def calculator(name: str) -> CostCalculator:
    """Find a calculator by its name."""
    if name in CATALOG:
        return CATALOG[name]()
    for found in entry_points(group=GROUP, name=name):
        made: CostCalculator = found.load()()
        return made
    known = ", ".join([*CATALOG, *sorted(entry_points(group=GROUP).names)])
    raise InvalidRequest(
        f"there is no calculator {name!r}.",
        field="calculator",
        fix=f"use one of: {known}; a package offers more under the entry point {GROUP}",
    )


def _percent(price: Price) -> Decimal:
    try:
        number = Decimal(str(as_written(price.terms.get("percent"))))
    except (InvalidOperation, ValueError):
        return Decimal(-1)
    return number if number.is_finite() else Decimal(-1)
