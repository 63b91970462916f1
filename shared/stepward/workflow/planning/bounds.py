"""Numbers of which nobody knows yet where they will lie: at least, as expected, at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from pydantic import BaseModel, ConfigDict


class Bound(BaseModel):
    """A count of one run that goes to its end; one that is ended early by a failure, a cancel or its time has fewer."""

    model_config = ConfigDict(frozen=True)

    least: int = 0
    expected: int = 0
    most: int = 0

    def __add__(self, other: Bound) -> Bound:
        """Both together."""
        return Bound(
            least=self.least + other.least,
            expected=self.expected + other.expected,
            most=self.most + other.most,
        )

    def __mul__(self, other: Bound) -> Bound:
        """One for each of the other."""
        return Bound(
            least=self.least * other.least,
            expected=self.expected * other.expected,
            most=self.most * other.most,
        )

    def of_each(self, count: Callable[[int], int]) -> Bound:
        """What a number becomes that grows with this one."""
        return Bound(least=count(self.least), expected=count(self.expected), most=count(self.most))

    @property
    def is_certain(self) -> bool:
        """Whether it can be nothing else."""
        return self.least == self.most

    def __str__(self) -> str:
        """Spell it for people."""
        return f"{self.least:,}" if self.is_certain else f"{self.least:,} to {self.most:,}"


ONE = Bound(least=1, expected=1, most=1)


def exactly(number: int) -> Bound:
    """A number that is certain."""
    return Bound(least=number, expected=number, most=number)


def total(bounds: Iterable[Bound]) -> Bound:
    """All of them together."""
    least = expected = most = 0
    for one in bounds:
        least, expected, most = least + one.least, expected + one.expected, most + one.most
    return Bound(least=least, expected=expected, most=most)


class Money(BaseModel):
    """Micro-dollars; None where nobody can say it."""

    model_config = ConfigDict(frozen=True)

    least_usd_micros: int = 0
    expected_usd_micros: int | None = 0
    most_usd_micros: int | None = 0

    def __add__(self, other: Money) -> Money:
        """Both together; what is unknown of one is unknown of both."""
        return Money(
            least_usd_micros=self.least_usd_micros + other.least_usd_micros,
            expected_usd_micros=_sum(self.expected_usd_micros, other.expected_usd_micros),
            most_usd_micros=_sum(self.most_usd_micros, other.most_usd_micros),
        )

    def times(self, count: Bound) -> Money:
        """So much for each of a count."""
        return Money(
            least_usd_micros=self.least_usd_micros * count.least,
            expected_usd_micros=_product(self.expected_usd_micros, count.expected),
            most_usd_micros=_product(self.most_usd_micros, count.most),
        )

    def __str__(self) -> str:
        """Spell it for people, in dollars."""
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
    """Write an amount so that the first digits that matter are seen."""
    amount = Decimal(usd_micros) / 1_000_000
    return f"${amount:,.2f}" if amount >= 1 else f"${amount.normalize():f}" if usd_micros else "$0"
