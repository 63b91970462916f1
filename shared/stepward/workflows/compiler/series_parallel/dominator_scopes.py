"""Decompose a large graph by dominators: each module runs in its dominator's scope.

A scope opens one parallel. A join in it closes branches that only lead to it, or continues one of them after an
await, or waits in a branch of its own; each costs at most one state. So parallels and awaits are at most
1 + F + J: F tasks open a scope with two starts, J joins have two needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stepward.workflows.compiler.series_parallel.module_graph import Modules
from stepward.workflows.compiler.series_parallel.tree import Await, Par, Seq, Step
from stepward.workflows.program.graphs import UnionFind

# Scopes.


@dataclass
class _Branch:
    steps: list[Step]
    tasks: int


def by_scopes(graph: Modules) -> Step:
    """Nest the modules in their scopes, from the innermost to the root."""
    ordered = graph.ordered()
    tree = Dominators()
    inside: dict[int, list[int]] = {ROOT: []}
    for key in ordered:
        inside[key] = []
        inside[tree.add(key, sorted(graph.at[key].above))].append(key)
    made: dict[int, _Branch] = {}
    for key in (*reversed(ordered), ROOT):
        made[key] = _Scope(key, inside[key], graph, tree, made).closed()
    return Seq(tuple(made[ROOT].steps))


class _Scope:
    """The open branches of one scope, to which its modules are added in order."""

    def __init__(
        self, key: int, inside: list[int], graph: Modules, tree: Dominators, made: dict[int, _Branch]
    ) -> None:
        self._key, self._graph, self._tree = key, graph, tree
        self._place = {child: place for place, child in enumerate(inside)}
        self._groups = UnionFind(len(inside))
        self._open: dict[int, _Branch] = {}
        self._tasks = 0
        for child in inside:
            self._add(child, made.pop(child))

    def closed(self) -> _Branch:
        """Return the scope's own module, followed by the open branches."""
        own = [] if self._key == ROOT else [self._graph.at[self._key].step]
        tasks = self._tasks | (0 if self._key == ROOT else self._graph.at[self._key].tasks)
        return _Branch(own + _side_by_side(self._open.values()), tasks)

    def _add(self, child: int, made: _Branch) -> None:
        module = self._graph.at[child]
        before, steps = set[int](), list[Step]()
        if len(module.above) > 1:
            if self._tasks & ~module.past:
                before, steps = self._before_join(child)
            else:
                before = set(self._open)
        self._tasks |= made.tasks
        self._extend(self._place[child], sorted(before), steps, made)

    def _before_join(self, child: int) -> tuple[set[int], list[Step]]:
        """Return the branches that a join continues, and the await that it needs besides."""
        module = self._graph.at[child]
        needs: dict[int, set[int]] = {}
        for need in sorted(module.above):
            place = self._place[self._tree.child_towards(self._key, need)]
            needs.setdefault(self._groups.of(place), set()).add(need)
        whole = {branch for branch in needs if not self._open[branch].tasks & ~module.past}
        if len(whole) < len(needs):
            whole = {max(whole, key=lambda branch: (len(needs[branch]), -branch))} if whole else set()
        rest = [need for branch, found in needs.items() if branch not in whole for need in found]
        return whole, [Await(self._graph.ends_of(set(rest)))] if rest else []

    def _extend(self, place: int, before: list[int], steps: list[Step], made: _Branch) -> None:
        gone = [self._open.pop(branch) for branch in before]
        for branch in before:
            self._groups.join(branch, place)
        one = gone[0] if len(gone) == 1 else _Branch(_side_by_side(gone), 0)
        one.steps += [*steps, *made.steps]
        for each in (*gone, made):
            one.tasks |= each.tasks
        self._open[self._groups.of(place)] = one


def _side_by_side(branches: Iterable[_Branch]) -> list[Step]:
    found = list(branches)
    if len(found) < 2:
        return [step for branch in found for step in branch.steps]
    return [Par(tuple(Seq(tuple(branch.steps)) for branch in found))]


# Dominators.


ROOT = -1


class Dominators:
    """The dominator tree under a root of its own.

    Ancestors are found by jump pointers, for a scope may be thousands deep.
    """

    def __init__(self) -> None:
        self._depth = {ROOT: 0}
        self._scope = {ROOT: ROOT}
        self._jump = {ROOT: ROOT}

    def add(self, key: int, needs: Iterable[int]) -> int:
        """Add a module below the deepest dominator of all its needs, which were added before."""
        scope: int | None = None
        for need in needs:
            scope = need if scope is None else self._meeting(scope, need)
        scope = ROOT if scope is None else scope
        self._scope[key] = scope
        self._depth[key] = self._depth[scope] + 1
        far = self._jump[scope]
        even = self._depth[scope] - self._depth[far] == self._depth[far] - self._depth[self._jump[far]]
        self._jump[key] = self._jump[far] if even else scope
        return scope

    def child_towards(self, scope: int, key: int) -> int:
        """Return the module directly in a scope that contains another module."""
        return self._rise(key, self._depth[scope] + 1)

    def _rise(self, key: int, depth: int) -> int:
        while self._depth[key] > depth:
            far = self._jump[key]
            key = far if self._depth[far] >= depth else self._scope[key]
        return key

    def _meeting(self, one: int, other: int) -> int:
        depth = min(self._depth[one], self._depth[other])
        one, other = self._rise(one, depth), self._rise(other, depth)
        while one != other:
            if self._jump[one] == self._jump[other]:
                one, other = self._scope[one], self._scope[other]
            else:
                one, other = self._jump[one], self._jump[other]
        return one
