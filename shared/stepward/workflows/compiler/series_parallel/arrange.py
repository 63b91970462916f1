"""Search the decomposition of a graph with the fewest parallels and awaits.

A large graph is decomposed by dominators: each module runs in its dominator's scope, which opens one parallel. A join in
it closes branches that only lead to it, or continues one of them after an await, or waits in a branch of its own; each
costs at most one state. So parallels and awaits are at most 1 + F + J: F tasks open a scope with two starts, J joins
have two needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import and_
from typing import Final, Literal, TypeAlias

from stepward.workflows.compiler.series_parallel.module_graph import Modules, modules_of, reduce_graph
from stepward.workflows.compiler.series_parallel.simplify import flatten, simplify
from stepward.workflows.compiler.series_parallel.tree import Await, Par, Seq, Step, counts
from stepward.workflows.program.graphs import UnionFind, ancestors, bits


# Decomposition by dominator scopes.
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


# Search.


TRIED_UP_TO: Final = 150
"""Modules left after reduction up to which every heuristic is tried, which takes a tenth of a second."""


class NoTasks(ValueError):
    """A graph has no tasks, so there is nothing to run."""


def arrange(needs: Sequence[Sequence[int]]) -> Step:
    """Return the tree with the fewest parallels and awaits; of equals that with fewer awaits.

    Args:
        needs: `needs[i]` are the tasks that task `i` needs.

    Raises:
        Cycle: The needs have a cycle.
        NoTasks: There are none.
    """
    if not needs:
        raise NoTasks("a workflow needs at least one task")
    past = ancestors(needs)
    graph = modules_of(needs, past)
    reduce_graph(graph, graph.at)
    return flatten(min((simplify(step, past) for step in _candidates(graph)), key=_cost))


def _candidates(graph: Modules) -> Iterator[Step]:
    if len(graph.at) == 1:
        yield from (module.step for module in graph.at.values())
        return
    if len(graph.at) <= TRIED_UP_TO:
        yield from (reduce_by(graph, attempt) for attempt in ATTEMPTS)
    yield by_scopes(graph)


def _cost(step: Step) -> tuple[int, int]:
    count = counts(step)
    return count.parallels + count.awaits, count.awaits


# Heuristics.
Choice: TypeAlias = Literal["early", "late", "narrow"]
Stay: TypeAlias = Literal["chain", "scope", "root"]


@dataclass(frozen=True)
class Attempt:
    """A heuristic: which join is cut first, and what it stays connected to.

    That is one of its needs (`chain`), its dominator's scope, or nothing (`root`).
    """

    choice: Choice
    stay: Stay


_CHOICES: Final[tuple[Choice, ...]] = ("early", "late", "narrow")
_STAYS: Final[tuple[Stay, ...]] = ("chain", "scope", "root")
ATTEMPTS: Final = tuple(Attempt(choice, stay) for choice, stay in product(_CHOICES, _STAYS))


def reduce_by(folded: Modules, attempt: Attempt) -> Step:
    """Reduce a graph to one step, with an await wherever it is not series-parallel."""
    trial = _Trial(folded.copy(), attempt)
    while len(trial.graph.at) > 1:
        trial.give_way()
    (module,) = trial.graph.at.values()
    return module.step


class _Trial:
    """One attempt on a copy of the graph."""

    def __init__(self, graph: Modules, attempt: Attempt) -> None:
        self.graph = graph
        self._attempt = attempt
        self._continued: set[int] = set()

    def give_way(self) -> None:
        """Cut one join, and reduce what that frees."""
        join = min((key for key, m in self.graph.at.items() if len(m.above) > 1), key=self._rank)
        reduce_graph(self.graph, {join} | self.graph.cut(join, self._place(join)))

    def _rank(self, join: int) -> tuple[int, ...]:
        module = self.graph.at[join]
        depth = module.past.bit_count()
        match self._attempt.choice:
            case "early":
                return depth, join
            case "late":
                return -depth, join
            case "narrow":
                return len(module.above), depth, join

    def _place(self, join: int) -> int | None:
        need = self._need_to_continue(join) if self._attempt.stay != "scope" else None
        if need is not None:
            self._continued.update(self.graph.at[need].ends)
            return need
        return None if self._attempt.stay == "root" else self._dominator(join)

    def _need_to_continue(self, join: int) -> int | None:
        """Choose a need that nothing else continues: the join continues its branch at no cost."""
        above = self.graph.at[join].above
        free = [key for key in above if len(self.graph.at[key].below) == 1]
        free = free or [key for key in above if self._leads_to_joins_only(key)]
        return max(free, key=self._latest, default=None)

    def _leads_to_joins_only(self, key: int) -> bool:
        module = self.graph.at[key]
        if not self._continued.isdisjoint(module.ends):
            return False
        return all(len(self.graph.at[heir].above) > 1 for heir in module.below)

    def _latest(self, key: int) -> tuple[int, int]:
        return self.graph.at[key].past.bit_count(), -key

    def _dominator(self, join: int) -> int | None:
        """Return the immediate dominator of a join: the last module on all paths to it."""
        ways: dict[int, int] = {}
        past = self.graph.at[join].past
        for key in self.graph.ordered():
            if past >> key & 1:
                ways[key] = self._shared(ways, key) | 1 << key
        return max(bits(self._shared(ways, join)), key=self._latest, default=None)

    def _shared(self, ways: dict[int, int], key: int) -> int:
        above = self.graph.at[key].above
        return reduce(and_, (ways[need] for need in above)) if above else 0
