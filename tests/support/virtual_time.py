"""A clock and an order of events that a seed decides: everything that happens at one moment happens in a drawn order."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
Act = Callable[[], None]
Wait = Callable[["Ticket"], None]
"""What a strand yields: it is told a ticket, by which it is woken."""


class EventLoop:
    """Runs what is due; it is also the clock of those who run in it."""

    def __init__(self, seed: int = 0) -> None:
        self.chance = random.Random(seed)
        self.now_s = 0.0
        self._due: list[tuple[float, float, int, Act]] = []
        self._numbers = count()

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.now_s)

    def later(self, delay_s: float, act: Act) -> None:
        """Have something done; of all that is due at one moment the seed says what comes first."""
        place = (self.now_s + delay_s, self.chance.random(), next(self._numbers), act)
        heapq.heappush(self._due, place)

    def run(self, until: Callable[[], bool] = lambda: False, most: int = 200_000) -> None:
        """Go on until nothing is due any more, or something holds."""
        for _ in range(most):
            if not self._due or until():
                return
            at_s, _, _, act = heapq.heappop(self._due)
            self.now_s = max(self.now_s, at_s)
            act()
        raise AssertionError("this does not come to an end")


class Strand:
    """One line of states; those that it opens end with it."""

    def __init__(
        self,
        loop: EventLoop,
        steps: Generator[Wait, Any, Any],
        ended: Callable[[Any, Exception | None], None],
    ) -> None:
        self.is_alive = True
        self._loop, self._steps, self._ended = loop, steps, ended
        self._inner: list[Strand] = []
        loop.later(0, lambda: self.go_on(None, None))

    def opened(self, other: Strand) -> None:
        self._inner.append(other)

    def stop(self) -> None:
        """End without a word, as a branch does whose sibling failed."""
        self.is_alive = False
        self._steps.close()
        for inner in self._inner:
            inner.stop()

    def go_on(self, value: Any, error: Exception | None) -> None:
        if not self.is_alive:
            return
        try:
            wait = self._steps.throw(error) if error else self._steps.send(value)
        except StopIteration as over:
            self.is_alive = False
            self._ended(over.value, None)
        except StateFailed as failure:
            self.is_alive = False
            self._ended(None, failure)
        else:
            ticket = Ticket(self._loop, self)
            try:
                wait(ticket)
            except StateFailed as failure:
                ticket.fail(failure.error, failure.cause)


class Ticket:
    """Wakes a strand once; whoever comes second comes in vain."""

    def __init__(self, loop: EventLoop, strand: Strand) -> None:
        self.strand = strand
        self._loop = loop
        self._is_used = False

    @property
    def is_open(self) -> bool:
        return not self._is_used and self.strand.is_alive

    def answer(self, value: Any) -> bool:
        return self._use(value, None)

    def fail(self, error: str, cause: str = "") -> bool:
        return self._use(None, StateFailed(error, cause))

    def _use(self, value: Any, error: Exception | None) -> bool:
        if not self.is_open:
            return False
        self._is_used = True
        self._loop.later(0, lambda: self.strand.go_on(value, error))
        return True


class StateFailed(Exception):
    """A state failed under a name, by which Retry and Catch decide."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause
