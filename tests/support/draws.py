"""How much the tests draw: a sample in `make test`; `make soak` sets STEPWARD_DRAWS and draws by that factor more."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, TypeVar

from hypothesis import settings

T = TypeVar("T")
VARIABLE: Final = "STEPWARD_DRAWS"
_SAMPLE_ONE_IN: Final = 4
_FEWEST_EXAMPLES: Final = 10


def is_soak() -> bool:
    """Tell whether more than a sample is wanted."""
    return VARIABLE in os.environ


def factor() -> int:
    """Read how many times the number that a test names is to be drawn."""
    said = os.environ.get(VARIABLE, "1")
    if not said.isdecimal() or int(said) < 1:
        raise ValueError(f"{VARIABLE} is {said!r}; give a whole number from 1, or unset it to draw a sample")
    return int(said)


def times(number: int) -> int:
    """Say how often to try what a soak tries so many times: a quarter as often in a sample, ten times at least."""
    return (
        number * factor() if is_soak() else min(number, max(_FEWEST_EXAMPLES, -(-number // _SAMPLE_ONE_IN)))
    )


def fixed(whole: int, sample: int) -> int:
    """Return a number that no factor multiplies: the whole in a soak, the sample otherwise."""
    return whole if is_soak() else sample


def drawn(examples: int) -> settings:
    """Draw so many examples in a soak, by its factor more; a quarter of them in a sample."""
    return settings(max_examples=times(examples))


def sampled(places: Sequence[T], one_in: int, first: int = 0) -> Sequence[T]:
    """Choose evenly from `first` on: one in so many places in a soak, all where its factor is that large.

    A sample chooses half as many.
    """
    step = max(1, one_in // factor()) if is_soak() else 2 * one_in
    return places[first % step :: step]
