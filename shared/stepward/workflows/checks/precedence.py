"""Determine which task of a scope ends before which, by needs, groups and transitions."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import cached_property

from stepward.workflows.checks.context import CheckContext, TaskNode

# The graphs of all scopes.


class ScopePrecedence:
    """The graph of one scope.

    A group is two nodes: one before its tasks, and one after them.
    """

    def __init__(self, context: CheckContext, scope: str, nodes: list[TaskNode]) -> None:
        self._context = context
        self.nodes = nodes
        self.number = {node.path: number for number, node in enumerate(nodes)}
        self._starts = {node.path: len(nodes) + n for n, node in enumerate(s for s in nodes if s.is_group)}
        self.is_machine = scope == "" and context.definition.is_state_machine
        self.graph = Graph(self._needs())

    def comes_before(self, first: TaskNode, then: TaskNode) -> bool:
        """Return whether one task ends, or in a state machine may run, before another starts."""
        return bool(self.graph.past[self.number[then.path]] >> self.number[first.path] & 1)

    def first_node(self, node: TaskNode) -> int:
        """Return the node of a task, or of a group the one before its tasks."""
        return self._starts.get(node.path, self.number[node.path])

    def node_of(self, vertex: int) -> TaskNode:
        """Return the task of a node."""
        return self.nodes[vertex] if vertex < len(self.nodes) else self._groups[vertex - len(self.nodes)]

    @cached_property
    def _groups(self) -> list[TaskNode]:
        return [node for node in self.nodes if node.is_group]

    def _needs(self) -> list[list[int]]:
        needs: list[set[int]] = [set() for _ in range(len(self.nodes) + len(self._starts))]
        for number, node in enumerate(self.nodes):
            start = self._starts.get(node.path, number)
            if start != number:
                needs[number].add(start)
            if node.around and node.around.path in self._starts:
                needs[start].add(self._starts[node.around.path])
                needs[self.number[node.around.path]].add(number)
            self._add_named(node, start, needs)
        return [sorted(one) for one in needs]

    def _add_named(self, node: TaskNode, start: int, needs: list[set[int]]) -> None:
        if self.is_machine and not node.container:
            for transition in node.task.next:
                self._add(needs, self._context.named("", transition.to), node)
            return
        for name in node.task.needs:
            found = self._context.named(node.container, name)
            if found and found is not node and found.path in self.number:
                needs[start].add(self.number[found.path])
        for _, _, name in node.branches():
            self._add(needs, self._context.named(node.container, name), node)

    def _add(self, needs: list[set[int]], later: TaskNode | None, earlier: TaskNode) -> None:
        """Put one task after another.

        A task after itself is left out: it is reported elsewhere, and in a state machine it is a transition.
        """
        if later and later.path in self.number and (later is not earlier or self.is_machine):
            start = self._starts.get(later.path, self.number[later.path])
            needs[start].add(self.number[earlier.path])


class Precedence:
    """The graphs of all scopes of a definition."""

    def __init__(self, context: CheckContext) -> None:
        by_scope: dict[str, list[TaskNode]] = {}
        seen: set[str] = set()
        for node in context.nodes:
            # Two tasks of one path are reported elsewhere; here the first one counts.
            if node.path not in seen:
                by_scope.setdefault(node.scope, []).append(node)
                seen.add(node.path)
        self.scopes = {scope: ScopePrecedence(context, scope, nodes) for scope, nodes in by_scope.items()}

    def may_name(self, node: TaskNode, other: TaskNode) -> bool:
        """Return whether a task's expressions may refer to another task.

        The other comes before the task, or before a body that the task is in.
        """
        inner: TaskNode | None = node.compensates or node
        while inner:
            if inner.scope == other.scope:
                is_own = node.compensates is other
                return is_own or self.scopes[inner.scope].comes_before(other, inner)
            inner = next(inner.bodies(), None)
        return False


# One scope as a graph that may have cycles.


Needs = Sequence[Sequence[int]]


class Graph:
    """Numbered nodes, each with its predecessors; cycles are allowed, and found here."""

    def __init__(self, needs: Needs) -> None:
        self.needs = needs

    @cached_property
    def rings(self) -> list[list[int]]:
        """The nodes that lie on cycles together, each set in the order of its numbers."""
        return [sorted(one) for one in self._components if len(one) > 1]

    @cached_property
    def past(self) -> list[int]:
        """For each node its predecessors as a bit mask; a node on a cycle is among its own."""
        past = [0] * len(self.needs)
        for component in self._components:
            mask = 0
            for vertex in component:
                for need in self.needs[vertex]:
                    mask |= past[need] | 1 << need
            for vertex in component:
                past[vertex] = mask
        return past

    @cached_property
    def _components(self) -> list[list[int]]:
        """The strongly connected components, each after its predecessors."""
        return list(_Tarjan(self.needs).components())

    def shortest_ring(self, ring: Sequence[int]) -> list[int]:
        """Find the shortest cycle through a cycle's first node, in the order of running."""
        start, inside = ring[0], set(ring)
        came_from: dict[int, int] = {}
        ahead = deque([start])
        while ahead:
            vertex = ahead.popleft()
            for need in self.needs[vertex]:
                if need == start:
                    return _trail(came_from, start, vertex)
                if need in inside and need not in came_from:
                    came_from[need] = vertex
                    ahead.append(need)
        return list(ring)


def _trail(came_from: dict[int, int], start: int, last: int) -> list[int]:
    trail = [start, last] if last != start else [start]
    while trail[-1] != start:
        trail.append(came_from[trail[-1]])
    return trail


class _Tarjan:
    """Tarjan's algorithm with a stack of its own, since a chain may be ten thousand long."""

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._found = [-1] * len(needs)
        self._low = [0] * len(needs)
        self._open: list[int] = []
        self._is_open = [False] * len(needs)
        self._count = 0

    def components(self) -> Iterator[list[int]]:
        """Yield one component after the other."""
        for root in range(len(self._needs)):
            if self._found[root] < 0:
                yield from self._search(root)

    def _search(self, root: int) -> Iterator[list[int]]:
        trail = [(root, iter(self._enter(root)))]
        while trail:
            vertex, ahead = trail[-1]
            for need in ahead:
                if self._found[need] < 0:
                    trail.append((need, iter(self._enter(need))))
                    break
                if self._is_open[need]:
                    self._low[vertex] = min(self._low[vertex], self._found[need])
            else:
                trail.pop()
                if trail:
                    above = trail[-1][0]
                    self._low[above] = min(self._low[above], self._low[vertex])
                if self._low[vertex] == self._found[vertex]:
                    yield self._closed(vertex)

    def _enter(self, vertex: int) -> Sequence[int]:
        self._found[vertex] = self._low[vertex] = self._count
        self._count += 1
        self._open.append(vertex)
        self._is_open[vertex] = True
        return self._needs[vertex]

    def _closed(self, vertex: int) -> list[int]:
        component: list[int] = []
        while not component or component[-1] != vertex:
            component.append(self._open.pop())
            self._is_open[component[-1]] = False
        return component
