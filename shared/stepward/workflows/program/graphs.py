"""Order a graph of tasks: closure, levels, critical path, width, back edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# Closure and reduction, as bit masks.


class Cycle(ValueError):
    """Tasks need each other in a ring, so none could start; `path` names them in order, the first again at the end."""

    def __init__(self, path: tuple[int, ...]) -> None:
        super().__init__("tasks need each other: " + " -> ".join(map(str, path)))
        self.path = path


def ancestors(needs: Sequence[Sequence[int]]) -> list[int]:
    """Tell for each task who must be done before it, as a bitmask; every later question is one operation on these."""
    past = [0] * len(needs)
    for task in topological_order(needs):
        for need in needs[task]:
            past[task] |= past[need] | 1 << need
    return past


def topological_order(needs: Sequence[Sequence[int]]) -> list[int]:
    """Put every task behind its needs without recursion, since a chain may be ten thousand long."""
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
    """Name the tasks of a mask, lowest first; by its digits, for shifting a mask of thousands is slow."""
    return [task for task, digit in enumerate(reversed(f"{mask:b}")) if digit == "1"]


def mask_of(tasks: Sequence[int]) -> int:
    """Make a mask of tasks."""
    mask = 0
    for task in tasks:
        mask |= 1 << task
    return mask


# Union-find.


class UnionFind:
    """Union-find over small numbers; the lowest member names the group, so the answer never depends on the order."""

    def __init__(self, count: int) -> None:
        self._up = list(range(count))

    def of(self, member: int) -> int:
        """Name the group of a member."""
        while self._up[member] != member:
            self._up[member] = self._up[self._up[member]]
            member = self._up[member]
        return member

    def join(self, one: int, other: int) -> int:
        """Make one group of two."""
        low, high = sorted((self.of(one), self.of(other)))
        self._up[high] = low
        return low


# Back edges of a state machine.


def back_edges(ways: Mapping[str, Sequence[str]], start: str) -> set[tuple[str, str]]:
    """Find the ways that lead to a task which the run has come by already; with a stack, since ways may be long."""
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
    """The tasks that decide how long a run takes, in their order, and the sum of their weights."""

    path: tuple[int, ...]
    length: int


def levels(needs: Sequence[Sequence[int]]) -> list[list[int]]:
    """Group tasks by how many come one after another before them."""
    level = [0] * len(needs)
    for task in topological_order(needs):
        level[task] = max((level[need] + 1 for need in needs[task]), default=0)
    grouped: list[list[int]] = [[] for _ in range(max(level, default=-1) + 1)]
    for task, number in enumerate(level):
        grouped[number].append(task)
    return grouped


def critical_path(needs: Sequence[Sequence[int]], weights: Sequence[int]) -> CriticalPath:
    """Find the longest way through the graph; no machine can be faster, and a compiled one is not slower."""
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


# A bound on how many run at once.


Needs = list[list[int]]


def limit_width(needs: Sequence[Sequence[int]], most: int | None) -> Needs:
    """Add to each task's needs the one before it in its lane, where the graph is wider than that.

    The lanes are chosen as if all tasks took equally long: each task goes where it can begin first. Lanes cover the
    graph, so that no more than `most` tasks can ever run at once; a lane waits for its own tasks even if another is idle.
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
