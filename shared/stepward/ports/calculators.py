"""How a usage becomes money where a contract counts otherwise than the list does."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.money import Price, Usage


class CostCalculator(Protocol):
    """One way to count. An installed package offers its own under the entry point `stepward.cost_calculators`."""

    def check(self, price: Price) -> None:
        """Refuse a price whose `terms` cannot be counted with: `InvalidRequest` that says which and how to mend it."""

    def cost_usd_micros(self, model: str, usage: Usage, price: Price) -> int:
        """Price a usage in whole micro-dollars, rounded up, never below zero."""
