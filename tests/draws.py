"""How much the tests draw: samples by default; `make soak` draws more, by the factor in STEPWARD_DRAWS."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, TypeVar

from hypothesis import settings

T = TypeVar("T")
VARIABLE: Final = "STEPWARD_DRAWS"


def factor() -> int:
    """Read by how much more than a sample is to be drawn."""
    said = os.environ.get(VARIABLE, "1")
    if not said.isdecimal() or int(said) < 1:
        raise ValueError(f"{VARIABLE} is {said!r}; give a whole number from 1 (a sample)")
    return int(said)


def drawn(examples: int) -> settings:
    """Draw so many examples; more of them in a soak."""
    return settings(max_examples=examples * factor())


def sampled(places: Sequence[T], one_in: int, first: int = 0) -> Sequence[T]:
    """Choose one in so many places, evenly from `first` on; in a soak, which draws more than that, all of them."""
    step = max(1, one_in // factor())
    return places[first % step :: step]
