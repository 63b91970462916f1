"""What a graph allows before anything is compiled: its levels, its critical path, and how much of it can run at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stepward.workflow.order.closure import ancestors, bits, in_order

# A matching looks at the whole closure for every task; beyond this many tasks that takes longer than all the rest of a plan.
WIDTH_UP_TO: Final = 500


@dataclass(frozen=True)
class CriticalPath:
    """The tasks that decide how long a run takes, in their order, and the sum of their weights."""

    path: tuple[int, ...]
    length: int


def levels(needs: Sequence[Sequence[int]]) -> list[list[int]]:
    """Group tasks by how many come one after another before them."""
    level = [0] * len(needs)
    for task in in_order(needs):
        level[task] = max((level[need] + 1 for need in needs[task]), default=0)
    grouped: list[list[int]] = [[] for _ in range(max(level, default=-1) + 1)]
    for task, number in enumerate(level):
        grouped[number].append(task)
    return grouped


def critical_path(needs: Sequence[Sequence[int]], weights: Sequence[int]) -> CriticalPath:
    """Find the longest way through the graph; no machine can be faster, and a compiled one is not slower."""
    end = [0] * len(needs)
    slowest: list[int | None] = [None] * len(needs)
    for task in in_order(needs):
        slowest[task] = max(needs[task], key=lambda need: (end[need], -need), default=None)
        before = slowest[task]
        end[task] = weights[task] + (0 if before is None else end[before])
    last = max(range(len(needs)), key=lambda task: (end[task], -task), default=None)
    return CriticalPath(_trail(last, slowest), 0 if last is None else end[last])


def _trail(last: int | None, slowest: Sequence[int | None]) -> tuple[int, ...]:
    path: list[int] = []
    while last is not None:
        path.append(last)
        last = slowest[last]
    return tuple(reversed(path))


def barrier_makespan(needs: Sequence[Sequence[int]], weights: Sequence[int]) -> int:
    """Tell how long a run would take if every level waited for all of the one before."""
    return sum(max(weights[task] for task in level) for level in levels(needs))


def width(needs: Sequence[Sequence[int]]) -> int | None:
    """Count the most tasks that can run at once; None where counting would take longer than it is worth.

    Dilworth: it is the number of chains that cover the closure, and each matched pair of tasks saves one chain.
    """
    if len(needs) > WIDTH_UP_TO:
        return None
    past = ancestors(needs)
    chains = _Chains({}, {})
    return len(needs) - sum(chains.extend(task, past) for task in range(len(needs)))


@dataclass
class _Chains:
    """Whom each task follows directly in its chain, and who follows it."""

    before: dict[int, int]
    behind: dict[int, int]

    def extend(self, task: int, past: Sequence[int]) -> bool:
        """Find a task to follow; whoever follows it already looks for another, and so on."""
        asked_by: dict[int, int] = {}
        left, line = ~0, [task]
        for asking in line:
            for found in bits(past[asking] & left):
                left &= ~(1 << found)
                asked_by[found] = asking
                if found not in self.behind:
                    self._take(task, found, asked_by)
                    return True
                line.append(self.behind[found])
        return False

    def _take(self, task: int, found: int, asked_by: dict[int, int]) -> None:
        asking = -1
        while asking != task:
            asking = asked_by[found]
            given_up = self.before.get(asking, -1)
            self.before[asking], self.behind[found] = found, asking
            found = given_up
