"""Inject faults into calls of ports: deaths, lost answers, failing services."""

from __future__ import annotations

import random
from collections import Counter
from enum import StrEnum
from typing import Final


class Died(BaseException):
    """The process has died, with all that it knew."""


class InjectedFault(StrEnum):
    """One thing that goes wrong."""

    NONE = "none"
    DIES_BEFORE = "dies_before"
    """The process dies, and the call was never made."""
    DIES_AFTER = "dies_after"
    """The call was made; the process dies before it sees the answer."""
    ANSWER_LOST = "answer_lost"
    """The call was made; the caller sees a time-out, or of a model's reply a beginning."""
    THROTTLED = "throttled"
    """The service declines the call."""
    CONFLICT = "conflict"
    """The service reports a conflict that has passed by the next try."""
    BROWN_OUT = "brown_out"
    """Every call fails, for as long as the brown-out lasts."""


NO_FAULT: Final = InjectedFault.NONE
_ANY_CALL: Final = (
    InjectedFault.DIES_BEFORE,
    InjectedFault.DIES_AFTER,
    InjectedFault.ANSWER_LOST,
    InjectedFault.THROTTLED,
)


class FaultInjector:
    """Draw faults from a seeded generator, up to a number per schedule, and count them.

    The first calls meet none.
    """

    def __init__(self, chance: random.Random, most: int, calm_calls: int = 0) -> None:
        self.counts: Counter[str] = Counter()
        self._chance = chance
        self._left = most
        self._calm_calls = calm_calls
        self._brown_out_left = 0

    def draw(self, *, is_write: bool, odds: float) -> InjectedFault:
        """Choose the fault of the next call; `odds` is the probability of any."""
        self._calm_calls -= 1
        if self._calm_calls >= 0:
            return NO_FAULT
        if self._brown_out_left:
            self._brown_out_left -= 1
            return self._count(InjectedFault.BROWN_OUT)
        if not self._left or self._chance.random() > odds:
            return NO_FAULT
        self._left -= 1
        if self._chance.random() < 0.05:
            self._brown_out_left = self._chance.randint(5, 25)
            return self._count(InjectedFault.BROWN_OUT)
        kinds = (*_ANY_CALL, InjectedFault.CONFLICT) if is_write else _ANY_CALL
        return self._count(self._chance.choice(kinds))

    def stop_faults(self) -> None:
        """Inject no fault any more."""
        self._left = self._brown_out_left = 0

    def count(self, name: str) -> None:
        """Count a fault that was injected elsewhere, such as a time-out of the machine."""
        self.counts[name] += 1

    def happens(self, name: str, probability: float) -> bool:
        """Decide whether something rare happens now, within the number of faults left."""
        if not self._left or self._calm_calls > 0 or self._chance.random() > probability:
            return False
        self._left -= 1
        self.count(name)
        return True

    def _count(self, fault: InjectedFault) -> InjectedFault:
        self.counts[fault.value] += 1
        return fault
