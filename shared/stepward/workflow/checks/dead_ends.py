"""A task that can never run is a mistake: most often a join behind both branches of one question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stepward.domain.documents.problems import Problem
from stepward.workflow.checks.order import Order, Orders
from stepward.workflow.checks.scene import Scene, Spot

_ALWAYS_FALSE = frozenset({"{% false %}", "{%false%}"})


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find tasks whose condition is always false, and those that need both answers of one question."""
    for order in orders.scopes.values():
        if not order.is_machine and not order.graph.rings:
            yield from _Answers(scene, order).problems()


@dataclass
class _Answers:
    """What must have been answered for each task of a scope to run: two bits a question, one for each answer."""

    scene: Scene
    order: Order
    gates: dict[str, list[tuple[Spot, int]]] = field(default_factory=dict)
    asked: dict[int, Spot] = field(default_factory=dict)
    needed: dict[str, int] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)

    def problems(self) -> Iterator[Problem]:
        self._find_gates()
        if not self.gates and not any(spot.task.when for spot in self.order.spots):
            return
        for spot in self._in_order():
            yield from self._of(spot)

    def _find_gates(self) -> None:
        conditions = [spot for spot in self.order.spots if any(spot.branches())]
        for number, spot in enumerate(conditions):
            self.asked[number] = spot
            for name, _, task in spot.branches():
                found = self.scene.named(spot.container, task)
                if found:
                    bit = 2 * number + (name == "otherwise")
                    self.gates.setdefault(found.path, []).append((spot, bit))

    def _in_order(self) -> list[Spot]:
        past = self.order.graph.past
        return sorted(self.order.spots, key=lambda one: past[self.order.first_node(one)].bit_count())

    def _members(self, spot: Spot) -> list[Spot]:
        """What a need of a group means: each of the tasks in it."""
        if not spot.is_group:
            return [spot]
        return [one for inner in self.scene.beside(spot.path).values() for one in self._members(inner)]

    def _of(self, spot: Spot) -> Iterator[Problem]:
        own = 0
        for condition, bit in self.gates.get(spot.path, ()):
            own |= 1 << bit
            if _answers_only(condition) is (bit % 2 == 1):
                detail = f"{condition.task.id!r} is always {str(bit % 2 == 1).lower()}, so {spot.task.id!r} never runs"
                yield self._dead(
                    spot, (), detail, "ask something that depends on the run, or take the task out"
                )
                return
        if spot.task.when in _ALWAYS_FALSE:
            detail = f"{spot.task.id!r} never runs: its `when` is always false"
            yield self._dead(
                spot, ("when",), detail, "ask something that depends on the run, or take the task out"
            )
            return
        named = [one for name in spot.task.needs if (one := self.scene.named(spot.container, name))]
        needs = [one for need in named for one in self._members(need)]
        if spot.task.run_when == "all_done" and any(need.path in self.dead for need in needs):
            self.dead.add(spot.path)
            return
        yield from self._joined(spot, own, needs)

    def _joined(self, spot: Spot, own: int, needs: list[Spot]) -> Iterator[Problem]:
        around = self.needed.get(spot.around.path, 0) if spot.around else 0
        before = [self.needed.get(need.path, 0) for need in needs if need.path not in self.dead]
        joined = 0
        if before and spot.task.run_when == "all_done":
            for one in before:
                joined |= one
        elif before and spot.task.run_when == "any_done":
            joined = before[0]
            for one in before:
                joined &= one
        self.needed[spot.path] = own | around | joined
        both = self._both(self.needed[spot.path])
        if both:
            yield self._dead(spot, ("needs",), *self._told(spot, both, needs))

    def _both(self, answers: int) -> Spot | None:
        # The even bits stand for yes and the odd ones for no: an overlap of the two is a question answered both ways.
        clash = answers & answers >> 1
        while clash:
            bit = (clash & -clash).bit_length() - 1
            if bit % 2 == 0:
                return self.asked[bit // 2]
            clash &= clash - 1
        return None

    def _told(self, spot: Spot, condition: Spot, needs: list[Spot]) -> tuple[str, str]:
        ids = " and ".join(repr(need.task.id) for need in needs[:4])
        detail = (
            f"{spot.task.id!r} never runs: it needs {ids or 'what it is in'}, which take both answers of "
            f"{condition.task.id!r}, and one of the two is always skipped"
        )
        return detail, "let it say `run_when: any_done`"

    def _dead(self, spot: Spot, inside: Any, detail: str, fix: str) -> Problem:
        self.dead.add(spot.path)
        return self.scene.problem(spot, inside, "unreachable", detail, fix)


def _answers_only(condition: Spot) -> bool | None:
    test = condition.settings.test
    if isinstance(test, bool):
        return test
    return {"{% true %}": True, "{% false %}": False}.get(test) if isinstance(test, str) else None
