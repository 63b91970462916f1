"""Add up costs of which only bounds are known."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.bounds import Bound


class Money(BaseModel):
    """Bounds of a cost in micro-dollars; None where it is unknown."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    least_usd_micros: int = 0
    expected_usd_micros: int | None = 0
    most_usd_micros: int | None = 0

    def __add__(self, other: Money) -> Money:
        """Return the sum; what is unknown of one is unknown of both."""
        return Money(
            least_usd_micros=self.least_usd_micros + other.least_usd_micros,
            expected_usd_micros=_sum(self.expected_usd_micros, other.expected_usd_micros),
            most_usd_micros=_sum(self.most_usd_micros, other.most_usd_micros),
        )

    def times(self, count: Bound) -> Money:
        """Return the cost of a number of runs."""
        return Money(
            least_usd_micros=self.least_usd_micros * count.least,
            expected_usd_micros=_product(self.expected_usd_micros, count.expected),
            most_usd_micros=_product(self.most_usd_micros, count.most),
        )

    def __str__(self) -> str:
        """Return it in dollars, for people."""
        if self.most_usd_micros == self.least_usd_micros:
            return dollars(self.least_usd_micros)
        if self.most_usd_micros is None:
            return f"{dollars(self.least_usd_micros)} or more"
        return f"{dollars(self.least_usd_micros)} to {dollars(self.most_usd_micros)}"


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _product(each: int | None, count: int) -> int | None:
    # Nothing of what is unknown is nothing: a branch that cannot be taken makes no plan uncertain.
    return 0 if count == 0 else None if each is None else each * count


def dollars(usd_micros: int) -> str:
    """Format an amount so that its first significant digits show."""
    amount = Decimal(usd_micros) / 1_000_000
    return f"${amount:,.2f}" if amount >= 1 else f"${amount.normalize():f}" if usd_micros else "$0"


UNKNOWN = Money(least_usd_micros=0, expected_usd_micros=None, most_usd_micros=None)


class Costs(Protocol):
    """Estimates the cost of runs, with AWS charges."""

    def of_agent(self, agent: str, version: str | None, limit_usd_micros: int | None) -> Money:
        """Return the cost of an agent's run within a model limit; `UNKNOWN` without the agent."""

    def of_workflow(self, workflow: str, version: str | None) -> Money:
        """Return the cost of a workflow's run; `UNKNOWN` without the workflow."""


class UnknownCosts:
    """Costs for plans without a registry: all are unknown."""

    def of_agent(self, agent: str, version: str | None, limit_usd_micros: int | None) -> Money:
        """Return an unknown cost, bounded by the limit."""
        del agent, version
        return UNKNOWN.model_copy(update={"most_usd_micros": limit_usd_micros})

    def of_workflow(self, workflow: str, version: str | None) -> Money:
        """Return an unknown cost."""
        del workflow, version
        return UNKNOWN
