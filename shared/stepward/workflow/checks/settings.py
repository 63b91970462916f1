"""What a task says beside the common fields must be what its type reads: a misspelt setting would otherwise vanish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stepward.domain.documents.problems import Problem, meant
from stepward.models.expressions import is_expression
from stepward.tasks.base import TaskType
from stepward.tasks.catalog import CATALOG, find_type
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene, Spot
from stepward.workflow.documents.faults import fix_of, what_of
from stepward.workflow.documents.mending import UNKNOWN_TYPE
from stepward.workflow.documents.names import TASK_NAMES, is_common


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find unknown types, unknown settings, settings of wrong values, and what each type finds by itself."""
    del orders
    for spot in scene.all():
        if spot.kind is not None:
            yield from _of_type(scene, spot, spot.kind)
        elif spot.task.type != UNKNOWN_TYPE:
            detail = f"there is no task type {spot.task.type!r}"
            fix = meant(spot.task.type, CATALOG, f"use one of {', '.join(CATALOG)}")
            yield scene.problem(spot, "type", "unknown-type", detail, fix)
        if spot.kind is None:
            yield from _of_no_type(scene, spot)


def _of_no_type(scene: Scene, spot: Spot) -> Iterator[Problem]:
    """Find fields that no type knows: a misspelt one may be what would have told the type."""
    known = {name for kind in CATALOG for name in known_fields(find_type(kind))}
    for name in spot.task.settings:
        if name not in known:
            fix = meant(name, sorted(known), f"remove {name!r}")
            yield scene.problem(spot, name, "unknown-field", f"no task has a field {name!r}", fix)


def _of_type(scene: Scene, spot: Spot, kind: TaskType[Any]) -> Iterator[Problem]:
    if spot.task.tasks and not (spot.is_body or spot.is_group):
        detail = f"tasks of type {kind.name} have no tasks within"
        yield scene.problem(
            spot, "tasks", "unknown-field", detail, "use the type parallel, foreach or loop for these"
        )
    try:
        settings = kind.settings.model_validate(spot.task.settings)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            # An expression has its value later; where none may stand, that is told by itself.
            if not is_expression(fault["input"]):
                yield _fault(scene, spot, kind, fault)
        return
    if not spot.is_unresolved:
        for found in kind.faults(spot.task, settings):
            yield scene.problem(
                spot, tuple(found.field.rstrip(".").split(".")), "wrong-setting", found.detail, found.fix
            )


def _fault(scene: Scene, spot: Spot, kind: TaskType[Any], fault: ErrorDetails) -> Problem:
    place = fault["loc"]
    if fault["type"] == "extra_forbidden" and len(place) == 1:
        name = str(place[0])
        detail = f"a task of type {kind.name} has no field {name!r}"
        return scene.problem(
            spot, name, "unknown-field", detail, meant(name, known_fields(kind), f"remove {name!r}")
        )
    code, detail = what_of(place, fault)
    return scene.problem(spot, place, code, detail, fix_of(place, fault))


def known_fields(kind: TaskType[Any]) -> list[str]:
    """List the fields that a task of a type may have, other names included."""
    model: type[BaseModel] = kind.settings
    common = [name for name in ("id", "type", "name", "description", "needs", "when", "run_when", "with", "retry",
              "on_error", "fallback", "timeout_s", "priority", "data", "compensate", "next", "max_visits", "tasks")
              if is_common(name)]  # fmt: skip
    return [*model.model_fields, *common, *TASK_NAMES]
