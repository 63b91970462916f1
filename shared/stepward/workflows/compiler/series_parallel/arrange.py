"""Search the decomposition of a graph with the fewest parallels and awaits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import and_
from typing import Final, Literal, TypeAlias

from stepward.workflows.compiler.series_parallel.dominator_scopes import by_scopes
from stepward.workflows.compiler.series_parallel.module_graph import Modules, modules_of, reduce_graph
from stepward.workflows.compiler.series_parallel.simplify import flatten, simplify
from stepward.workflows.compiler.series_parallel.tree import Step, counts
from stepward.workflows.program.graphs import ancestors, bits

# The best of them.


# How many modules may be left after folding for every attempt to be made: all of them together take a tenth of a second.
TRIED_UP_TO: Final = 150


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


# Attempts.


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
