"""Analyse a graph of tasks: closure, levels, critical path, width, back edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# Closure and reduction, as bit masks.


class Cycle(ValueError):
    """A cycle of needs, so that none of its tasks could start.

    `path` names the tasks in order, the first again at the end.
    """

    def __init__(self, path: tuple[int, ...]) -> None:
        super().__init__("tasks need each other: " + " -> ".join(map(str, path)))
        self.path = path


def ancestors(needs: Sequence[Sequence[int]]) -> list[int]:
    """Return for each task the tasks that must end before it, as a bit mask.

    Every later question about order is then one operation on these.
    """
    past = [0] * len(needs)
    for task in topological_order(needs):
        for need in needs[task]:
            past[task] |= past[need] | 1 << need
    return past


def topological_order(needs: Sequence[Sequence[int]]) -> list[int]:
    """Sort tasks so that each follows its needs.

    It does not recurse, since a chain may be ten thousand long.
    """
    ordered: list[int] = []
    done = [False] * len(needs)
    for root in range(len(needs)):
        if not done[root]:
            _finish(root, needs, done, ordered)
    return ordered


def _finish(root: int, needs: Sequence[Sequence[int]], done: list[bool], ordered: list[int]) -> None:
    opened = {root: iter(needs[root])}
    while opened:
        task = next(reversed(opened))
        ahead = next((need for need in opened[task] if not done[need]), None)
        if ahead is None:
            del opened[task]
            done[task] = True
            ordered.append(task)
        elif ahead in opened:
            raise Cycle(_ring(list(opened), ahead))
        else:
            opened[ahead] = iter(needs[ahead])


def _ring(trail: list[int], again: int) -> tuple[int, ...]:
    # The trail goes from a task to what it needs; a ring reads better in the order in which it would have to run.
    ring = trail[trail.index(again) :][::-1]
    return (ring[-1], *ring)


def transitive_reduction(needs: Sequence[Sequence[int]], past: Sequence[int]) -> list[tuple[int, ...]]:
    """Keep the needs that no other need implies: only they cost a state."""
    return [_direct(each, past) for each in needs]


def _direct(needs: Sequence[int], past: Sequence[int]) -> tuple[int, ...]:
    implied = 0
    for need in needs:
        implied |= past[need]
    return tuple(sorted({need for need in needs if not implied >> need & 1}))


def bits(mask: int) -> list[int]:
    """List the tasks of a mask, lowest first.

    It reads the digits, because shifting a mask of thousands is slow.
    """
    return [task for task, digit in enumerate(reversed(f"{mask:b}")) if digit == "1"]


def mask_of(tasks: Sequence[int]) -> int:
    """Return the mask of some tasks."""
    mask = 0
    for task in tasks:
        mask |= 1 << task
    return mask


# Union-find.


class UnionFind:
    """Disjoint sets of small numbers; each is named by its lowest member.

    The name therefore does not depend on the order of joins.
    """

    def __init__(self, count: int) -> None:
        self._up = list(range(count))

    def of(self, member: int) -> int:
        """Return the name of a member's set."""
        while self._up[member] != member:
            self._up[member] = self._up[self._up[member]]
            member = self._up[member]
        return member

    def join(self, one: int, other: int) -> int:
        """Merge two sets, and return the name of the result."""
        low, high = sorted((self.of(one), self.of(other)))
        self._up[high] = low
        return low


# Back edges of a state machine.


def back_edges(ways: Mapping[str, Sequence[str]], start: str) -> set[tuple[str, str]]:
    """Find the transitions that lead back to a task on the current path of the search.

    It keeps a stack of its own, since paths may be long.
    """
    back: set[tuple[str, str]] = set()
    is_open: dict[str, bool] = {}
    for root in (start, *ways):
        if root in is_open or root not in ways:
            continue
        is_open[root] = True
        trail = [(root, iter(ways[root]))]
        while trail:
            task, ahead = trail[-1]
            to = next(ahead, None)
            if to is None:
                is_open[task] = False
                trail.pop()
            elif is_open.get(to):
                back.add((task, to))
            elif to not in is_open and to in ways:
                is_open[to] = True
                trail.append((to, iter(ways[to])))
    return back


# Levels, critical path and width.


# A matching looks at the whole closure for every task; beyond this many tasks that takes longer than all the rest of a plan.
WIDTH_UP_TO: Final = 500


@dataclass(frozen=True)
class CriticalPath:
    """The tasks that decide how long a run takes, in order, and the sum of their weights."""

    path: tuple[int, ...]
    length: int


def levels(needs: Sequence[Sequence[int]]) -> list[list[int]]:
    """Group tasks by the length of the longest chain of needs before them."""
    level = [0] * len(needs)
    for task in topological_order(needs):
        level[task] = max((level[need] + 1 for need in needs[task]), default=0)
    grouped: list[list[int]] = [[] for _ in range(max(level, default=-1) + 1)]
    for task, number in enumerate(level):
        grouped[number].append(task)
    return grouped


def critical_path(needs: Sequence[Sequence[int]], weights: Sequence[int]) -> CriticalPath:
    """Find the longest path through the graph, a lower bound of any run's duration.

    The compiled machine is not slower than that.
    """
    end = [0] * len(needs)
    slowest: list[int | None] = [None] * len(needs)
    for task in topological_order(needs):
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
    """Return how long a run would take if every level waited for all of the one before."""
    return sum(max(weights[task] for task in level) for level in levels(needs))


def width(needs: Sequence[Sequence[int]]) -> int | None:
    """Count the most tasks that can run at once; None where counting would take too long.

    By Dilworth's theorem it is the number of chains that cover the closure; each matched pair of tasks saves one chain.
    """
    if len(needs) > WIDTH_UP_TO:
        return None
    past = ancestors(needs)
    chains = _Chains({}, {})
    return len(needs) - sum(chains.extend(task, past) for task in range(len(needs)))


@dataclass
class _Chains:
    """For each task the one before it in its chain, and the one after it."""

    predecessor: dict[int, int]
    successor: dict[int, int]

    def extend(self, task: int, past: Sequence[int]) -> bool:
        """Append a task to a chain, by an augmenting path of the matching.

        If the task to follow has a successor already, that one looks for another, and so on.
        """
        asked_by: dict[int, int] = {}
        left, line = ~0, [task]
        for asking in line:
            for found in bits(past[asking] & left):
                left &= ~(1 << found)
                asked_by[found] = asking
                if found not in self.successor:
                    self._take(task, found, asked_by)
                    return True
                line.append(self.successor[found])
        return False

    def _take(self, task: int, found: int, asked_by: dict[int, int]) -> None:
        asking = -1
        while asking != task:
            asking = asked_by[found]
            given_up = self.predecessor.get(asking, -1)
            self.predecessor[asking], self.successor[found] = found, asking
            found = given_up


# A bound on how many run at once.


Needs = list[list[int]]


def limit_width(needs: Sequence[Sequence[int]], most: int | None) -> Needs:
    """Add needs to a graph until at most `most` tasks can run at once.

    Tasks are put into as many lanes, as if all took equally long: each goes where it can begin first, and needs the one
    before it in its lane. A lane waits for its own tasks even if another is idle.
    """
    given = [list(needed) for needed in needs]
    if most is None or most >= len(given):
        return given
    wide = width(given)
    if wide is not None and wide <= most:
        return given
    ends = [0] * len(given)
    free = [0] * most
    last: list[int | None] = [None] * most
    for task in topological_order(given):
        ready = max((ends[need] for need in given[task]), default=0)
        lane = min(range(most), key=lambda one: (max(free[one], ready), -free[one], one))
        before = last[lane]
        ends[task] = max(free[lane], ready) + 1
        free[lane], last[lane] = ends[task], task
        if before is not None and before not in given[task]:
            given[task].append(before)
    return given
