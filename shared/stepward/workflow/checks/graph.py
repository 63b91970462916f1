"""Who comes before whom in one scope, found in time that is linear in the graph, however tangled it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import cached_property

Needs = Sequence[Sequence[int]]


class Graph:
    """Nodes by number, each with those that come before it; rings are allowed, since it is here that they are found."""

    def __init__(self, needs: Needs) -> None:
        self.needs = needs

    @cached_property
    def rings(self) -> list[list[int]]:
        """The nodes that lie on rings together, each set in the order of its numbers."""
        return [sorted(one) for one in self._components if len(one) > 1]

    @cached_property
    def past(self) -> list[int]:
        """Tell for each node, as a bitmask, who comes before it; of one on a ring that includes itself."""
        past = [0] * len(self.needs)
        for component in self._components:
            mask = 0
            for node in component:
                for need in self.needs[node]:
                    mask |= past[need] | 1 << need
            for node in component:
                past[node] = mask
        return past

    @cached_property
    def _components(self) -> list[list[int]]:
        """The strongly connected components, each behind those that come before it."""
        return list(_Tarjan(self.needs).components())

    def shortest_ring(self, ring: Sequence[int]) -> list[int]:
        """Find the shortest way from a ring's first node back to itself, in the order in which it would have to run."""
        start, inside = ring[0], set(ring)
        came_from: dict[int, int] = {}
        ahead = deque([start])
        while ahead:
            node = ahead.popleft()
            for need in self.needs[node]:
                if need == start:
                    return _trail(came_from, start, node)
                if need in inside and need not in came_from:
                    came_from[need] = node
                    ahead.append(need)
        return list(ring)


def _trail(came_from: dict[int, int], start: int, last: int) -> list[int]:
    trail = [start, last] if last != start else [start]
    while trail[-1] != start:
        trail.append(came_from[trail[-1]])
    return trail


class _Tarjan:
    """Tarjan's search with a stack of its own, since a chain may be ten thousand long."""

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._found = [-1] * len(needs)
        self._low = [0] * len(needs)
        self._open: list[int] = []
        self._is_open = [False] * len(needs)
        self._count = 0

    def components(self) -> Iterator[list[int]]:
        """Give one component after the other."""
        for root in range(len(self._needs)):
            if self._found[root] < 0:
                yield from self._search(root)

    def _search(self, root: int) -> Iterator[list[int]]:
        trail = [(root, iter(self._enter(root)))]
        while trail:
            node, ahead = trail[-1]
            for need in ahead:
                if self._found[need] < 0:
                    trail.append((need, iter(self._enter(need))))
                    break
                if self._is_open[need]:
                    self._low[node] = min(self._low[node], self._found[need])
            else:
                trail.pop()
                if trail:
                    above = trail[-1][0]
                    self._low[above] = min(self._low[above], self._low[node])
                if self._low[node] == self._found[node]:
                    yield self._closed(node)

    def _enter(self, node: int) -> Sequence[int]:
        self._found[node] = self._low[node] = self._count
        self._count += 1
        self._open.append(node)
        self._is_open[node] = True
        return self._needs[node]

    def _closed(self, node: int) -> list[int]:
        component: list[int] = []
        while not component or component[-1] != node:
            component.append(self._open.pop())
            self._is_open[component[-1]] = False
        return component
