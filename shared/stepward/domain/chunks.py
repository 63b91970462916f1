"""A chunk: a range of a large foreach's items with its own execution and history."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import Final

from pydantic import BaseModel, ConfigDict

from stepward.domain.task_records import TaskKey

MOST_LANES: Final = 4
"""The most chunks of one foreach that run at once: one slow item must not delay all that come after its chunk."""


class Chunk(BaseModel):
    """One execution for the items `first` to `last`, counted from 0.

    `rounds` is the common beginning of their rounds, such as `each`.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    task: str
    rounds: str
    first: int
    last: int
    attempt: int = 1
    name: str
    """The execution's name, appended to the run's."""

    @property
    def key(self) -> TaskKey:
        """The key of its marks, its token and its outcome; not the name of a task of the document."""
        return chunk_key(self.task, self.rounds, self.first)


def chunk_key(task: str, rounds: str, first: int) -> TaskKey:
    """Name a chunk by its first item."""
    return TaskKey(path=f"{task}~chunk", at=f"{rounds}[{first}]")


def lanes_of(max_parallel: int) -> int:
    """Return how many chunks run at once: a divisor of `max_parallel`, so the limit holds."""
    return max(lanes for lanes in range(1, MOST_LANES + 1) if max_parallel % lanes == 0)


def count_chunks(items: int, most: int, lanes: int) -> int:
    """Count the chunks of some items, so that all lanes have work."""
    return min(items, ceil(ceil(items / most) / lanes) * lanes)


def ranges(items: int, most: int, lanes: int) -> list[tuple[int, int]]:
    """Divide items evenly into chunks; returns the first and last of each, counted from 0."""
    count = count_chunks(items, most, lanes)
    bounds = [items * number // count for number in range(count + 1)] if count else []
    return [(first, past - 1) for first, past in pairwise(bounds)]
