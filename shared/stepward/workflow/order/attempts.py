"""Where nothing folds, one join gives way: its needs become an await. Which join, and where it stays, are attempts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import and_
from typing import Final, Literal, TypeAlias

from stepward.workflow.order.closure import bits
from stepward.workflow.order.fold import fold
from stepward.workflow.order.modules import Modules
from stepward.workflow.order.steps import Step

Choice: TypeAlias = Literal["early", "late", "narrow"]
Stay: TypeAlias = Literal["chain", "scope", "root"]


@dataclass(frozen=True)
class Attempt:
    """Which join gives way first; and what it stays behind: one of its needs, the scope of its dominator, or nothing."""

    choice: Choice
    stay: Stay


_CHOICES: Final[tuple[Choice, ...]] = ("early", "late", "narrow")
_STAYS: Final[tuple[Stay, ...]] = ("chain", "scope", "root")
ATTEMPTS: Final = tuple(Attempt(choice, stay) for choice, stay in product(_CHOICES, _STAYS))


def tried(folded: Modules, attempt: Attempt) -> Step:
    """Fold a graph into one step, at the price of an await wherever nothing folds."""
    trial = _Trial(folded.copy(), attempt)
    while len(trial.graph.at) > 1:
        trial.give_way()
    (module,) = trial.graph.at.values()
    return module.step


class _Trial:
    """One attempt on its own copy of the graph."""

    def __init__(self, graph: Modules, attempt: Attempt) -> None:
        self.graph = graph
        self._attempt = attempt
        self._continued: set[int] = set()

    def give_way(self) -> None:
        """Cut one join loose and fold what that frees."""
        join = min((key for key, m in self.graph.at.items() if len(m.above) > 1), key=self._rank)
        fold(self.graph, {join} | self.graph.cut(join, self._place(join)))

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
        """Choose a need that nothing else continues: its branch goes on with the join at no cost."""
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
        """Find the last module that every way to the join goes through."""
        ways: dict[int, int] = {}
        past = self.graph.at[join].past
        for key in self.graph.ordered():
            if past >> key & 1:
                ways[key] = self._shared(ways, key) | 1 << key
        return max(bits(self._shared(ways, join)), key=self._latest, default=None)

    def _shared(self, ways: dict[int, int], key: int) -> int:
        above = self.graph.at[key].above
        return reduce(and_, (ways[need] for need in above)) if above else 0
