"""Two tasks of one id beside each other could not be told apart by those who need them."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find ids that stand twice in one group or body, or in the workflow itself."""
    del orders
    for spot in scene.spots:
        first = scene.beside(spot.container)[spot.task.id]
        if first is not spot:
            position = scene.document.position((*first.place, "id"))
            where = f" in line {position.line}" if position else ""
            detail = f"there is a task {spot.task.id!r} already{where}"
            yield scene.problem(spot, "id", "duplicate-id", detail, "give one of them another id")
