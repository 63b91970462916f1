"""The tasks of a condition's `then` and `otherwise` run or are skipped by its answer, so they must stand beside it."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem, meant
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find branches that name no task beside the condition, or the condition itself, and conditions of machines."""
    for spot in scene.spots:
        for field, index, name in spot.branches():
            found = scene.named(spot.container, name)
            if found is spot:
                detail = f"{name!r} cannot hang on its own answer"
                yield scene.problem(
                    spot, (field, index), "self-dependency", detail, f"take it out of `{field}`"
                )
            elif found is None:
                known = scene.beside(spot.container).keys() - {spot.task.id}
                fix = meant(name, known, "name a task beside the condition")
                yield scene.problem(spot, (field, index), "missing-task", f"there is no task {name!r}", fix)
            elif orders.scopes[spot.scope].is_machine and not spot.container:
                fix = f"use `next: [{{to: {name}, when: …}}]`"
                yield scene.problem(
                    spot, (field, index), "branch-in-machine", "a state machine goes by `next`", fix
                )
