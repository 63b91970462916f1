"""A need must name a task that runs beside the one that has it: nothing else could be waited for."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem, meant
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene, Spot


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find needs that name nothing, the task itself, or a task on the other side of a body or group."""
    del orders
    anywhere: dict[str, list[Spot]] = {}
    for spot in scene.spots:
        anywhere.setdefault(spot.task.id, []).append(spot)
    for spot in scene.spots:
        for index, name in enumerate(spot.task.needs):
            found = scene.named(spot.container, name)
            if found is None:
                code, detail, fix = _missing(scene, spot, name, anywhere)
                yield scene.problem(spot, ("needs", index), code, detail, fix)
            elif found is spot:
                detail = f"{name!r} needs itself, so it could never start"
                yield scene.problem(
                    spot, ("needs", index), "self-dependency", detail, "take it out of its own needs"
                )


def _missing(scene: Scene, spot: Spot, name: str, anywhere: dict[str, list[Spot]]) -> tuple[str, str, str]:
    for other in anywhere.get(name.rpartition(".")[2], ()):
        if found := _elsewhere(spot, other):
            return found
    known = scene.beside(spot.container).keys() - {spot.task.id}
    return "missing-task", f"there is no task {name!r}", meant(name, known, _known(sorted(known)))


def _elsewhere(spot: Spot, other: Spot) -> tuple[str, str, str] | None:
    """Tell what to do about a task that exists, but not where this one could wait for it."""
    name = other.path
    around = other.around
    while around:
        if around.container == spot.container:
            detail = f"{name!r} runs within {around.task.id!r}"
            fix = f"need {around.task.id!r}, which ends after all that is in it"
            return "need-into-body", detail, fix
        around = around.around
    inner = spot.around
    while inner:
        if other.container == inner.container:
            detail = f"{name!r} runs outside of {inner.task.id!r}"
            return "need-out-of-body", detail, f"let {inner.task.id!r} need it: what is within waits with it"
        inner = inner.around
    return None


def _known(names: list[str]) -> str:
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"the tasks beside it are {shown}" if names else "there is no other task beside it"
