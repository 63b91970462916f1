"""The order that needs, groups, branches and transitions make of each scope's tasks, as graphs that the checks ask."""

from __future__ import annotations

from functools import cached_property

from stepward.workflow.checks.graph import Graph
from stepward.workflow.checks.scene import Scene, Spot


class Order:
    """The graph of one scope. A group is two nodes: one that its tasks come after, one that comes after its tasks."""

    def __init__(self, scene: Scene, scope: str, spots: list[Spot]) -> None:
        self._scene = scene
        self.spots = spots
        self.number = {spot.path: number for number, spot in enumerate(spots)}
        self._starts = {spot.path: len(spots) + n for n, spot in enumerate(s for s in spots if s.is_group)}
        self.is_machine = scope == "" and scene.definition.is_state_machine
        self.graph = Graph(self._needs())

    def comes_before(self, first: Spot, then: Spot) -> bool:
        """Whether one task must have ended, or in a state machine may have run, before the other starts."""
        return bool(self.graph.past[self.number[then.path]] >> self.number[first.path] & 1)

    def first_node(self, spot: Spot) -> int:
        """The node of a task, or of a group the one that comes before its tasks."""
        return self._starts.get(spot.path, self.number[spot.path])

    def spot_of(self, node: int) -> Spot:
        """The task of a node."""
        return self.spots[node] if node < len(self.spots) else self._groups[node - len(self.spots)]

    @cached_property
    def _groups(self) -> list[Spot]:
        return [spot for spot in self.spots if spot.is_group]

    def _needs(self) -> list[list[int]]:
        needs: list[set[int]] = [set() for _ in range(len(self.spots) + len(self._starts))]
        for number, spot in enumerate(self.spots):
            start = self._starts.get(spot.path, number)
            if start != number:
                needs[number].add(start)
            if spot.around and spot.around.path in self._starts:
                needs[start].add(self._starts[spot.around.path])
                needs[self.number[spot.around.path]].add(number)
            self._add_named(spot, start, needs)
        return [sorted(one) for one in needs]

    def _add_named(self, spot: Spot, start: int, needs: list[set[int]]) -> None:
        if self.is_machine and not spot.container:
            for transition in spot.task.next:
                self._add(needs, self._scene.named("", transition.to), spot)
            return
        for name in spot.task.needs:
            found = self._scene.named(spot.container, name)
            if found and found is not spot and found.path in self.number:
                needs[start].add(self.number[found.path])
        for _, _, name in spot.branches():
            self._add(needs, self._scene.named(spot.container, name), spot)

    def _add(self, needs: list[set[int]], later: Spot | None, earlier: Spot) -> None:
        """Put one task after another; a task that comes after itself is told of elsewhere, or is a machine's way."""
        if later and later.path in self.number and (later is not earlier or self.is_machine):
            start = self._starts.get(later.path, self.number[later.path])
            needs[start].add(self.number[earlier.path])


class Orders:
    """The orders of all scopes of a definition."""

    def __init__(self, scene: Scene) -> None:
        by_scope: dict[str, list[Spot]] = {}
        seen: set[str] = set()
        for spot in scene.spots:
            # Of two tasks of one path the first stands for both: that there are two is told already.
            if spot.path not in seen:
                by_scope.setdefault(spot.scope, []).append(spot)
                seen.add(spot.path)
        self.scopes = {scope: Order(scene, scope, spots) for scope, spots in by_scope.items()}

    def may_name(self, spot: Spot, other: Spot) -> bool:
        """Whether a task's expressions may speak of another: it comes before the task, or before the body that it is in."""
        inner: Spot | None = spot.undoes or spot
        while inner:
            if inner.scope == other.scope:
                is_own = spot.undoes is other
                return is_own or self.scopes[inner.scope].comes_before(other, inner)
            inner = next(inner.bodies(), None)
        return False
