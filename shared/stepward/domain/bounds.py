"""Numbers with a lower and an upper bound, for counting what a run takes before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pydantic import BaseModel, ConfigDict


class Bound(BaseModel):
    """A bounded count of one complete run; a run that is ended early has fewer."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    least: int = 0
    expected: int = 0
    most: int = 0

    def __add__(self, other: Bound) -> Bound:
        """Add two counts."""
        return Bound(
            least=self.least + other.least,
            expected=self.expected + other.expected,
            most=self.most + other.most,
        )

    def __mul__(self, other: Bound) -> Bound:
        """Multiply two counts: one for each of the other."""
        return Bound(
            least=self.least * other.least,
            expected=self.expected * other.expected,
            most=self.most * other.most,
        )

    def of_each(self, count: Callable[[int], int]) -> Bound:
        """Scale a number that grows with this count."""
        return Bound(least=count(self.least), expected=count(self.expected), most=count(self.most))

    @property
    def is_certain(self) -> bool:
        """Whether both bounds are equal."""
        return self.least == self.most

    def __str__(self) -> str:
        """Format it for people."""
        return f"{self.least:,}" if self.is_certain else f"{self.least:,} to {self.most:,}"


ONE = Bound(least=1, expected=1, most=1)


def exactly(number: int) -> Bound:
    """Return a count that is certain."""
    return Bound(least=number, expected=number, most=number)


def total(bounds: Iterable[Bound]) -> Bound:
    """Sum counts."""
    least = expected = most = 0
    for one in bounds:
        least, expected, most = least + one.least, expected + one.expected, most + one.most
    return Bound(least=least, expected=expected, most=most)
