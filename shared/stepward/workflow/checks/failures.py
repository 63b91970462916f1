"""What is to happen when a task fails must be one thing, and something that can happen."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem
from stepward.tasks.base import Place
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene, Spot


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find fallbacks that never come into play, and compensations that could not be carried out."""
    del orders
    for spot in scene.spots:
        if spot.task.fallback and spot.task.on_error == "fail":
            detail = f"{spot.task.id!r} has a fallback, but ends the run when it fails"
            yield scene.problem(
                spot, "fallback", "fallback-unused", detail, "keep one of `fallback` and `on_error: fail`"
            )
    for undo in scene.undoing:
        yield from _compensation(scene, undo)


def _compensation(scene: Scene, undo: Spot) -> Iterator[Problem]:
    if undo.kind and undo.settings is not None and undo.kind.place_of(undo.settings) is not Place.WITHIN:
        detail = f"a task of type {undo.task.type} cannot undo another: it would have to be waited for"
        yield scene.problem(undo, "type", "compensation", detail, "use a type such as tool, webhook or event")
    for field in ("needs", "next", "run_when", "compensate", "tasks"):
        if getattr(undo.task, field) != type(undo.task).model_fields[field].default:
            detail = f"what undoes a task runs by itself, so `{field}` has no meaning for it"
            yield scene.problem(undo, field, "compensation", detail, f"take `{field}` out")
