"""A chunk is a range of a large foreach's items that runs in an execution, and so in a history, of its own."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import Final

from pydantic import BaseModel, ConfigDict

from stepward.domain.task_records import TaskKey

MOST_LANES: Final = 4
"""How many chunks of one foreach run at once at most: one slow item must not hold up all that come after its chunk."""


class Chunk(BaseModel):
    """One execution for the items `first` to `last`, counted from 0; `rounds` is what their rounds begin with: `each`."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    task: str
    rounds: str
    first: int
    last: int
    attempt: int = 1
    name: str
    """Of the execution, behind the run's own."""

    @property
    def key(self) -> TaskKey:
        """Where its marks, its token and its outcome are kept; not the name of a task of the document."""
        return chunk_key(self.task, self.rounds, self.first)


def chunk_key(task: str, rounds: str, first: int) -> TaskKey:
    """Name a chunk by its first item."""
    return TaskKey(path=f"{task}~chunk", at=f"{rounds}[{first}]")


def lanes_of(max_parallel: int) -> int:
    """How many chunks run at once: as many as divide what may run side by side, so that together they keep to it."""
    return max(lanes for lanes in range(1, MOST_LANES + 1) if max_parallel % lanes == 0)


def count_chunks(items: int, most: int, lanes: int) -> int:
    """Count the chunks of some items, so that all lanes have work."""
    return min(items, ceil(ceil(items / most) / lanes) * lanes)


def ranges(items: int, most: int, lanes: int) -> list[tuple[int, int]]:
    """Divide items evenly into chunks; the first and the last of each, counted from 0."""
    count = count_chunks(items, most, lanes)
    bounds = [items * number // count for number in range(count + 1)] if count else []
    return [(first, past - 1) for first, past in pairwise(bounds)]
