"""Tasks that wait for each other in a ring could none of them start, and the run would stand still for ever."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.tree import Path
from stepward.workflow.checks.order import Order, Orders
from stepward.workflow.checks.scene import Scene, Spot

MOST_SHOWN = 12


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find the rings of needs, each named in the order in which it would have to run."""
    for order in orders.scopes.values():
        for ring in () if order.is_machine else order.graph.rings:
            yield _problem(scene, order, order.graph.shortest_ring(ring))


def _problem(scene: Scene, order: Order, ring: list[int]) -> Problem:
    spots = [order.spot_of(node) for node in ring]
    # A group is two nodes; in the telling it is one.
    told = [spot for before, spot in zip([None, *spots], spots, strict=False) if spot is not before]
    waits, need = told[0], told[-2] if len(told) > 1 else told[0]
    detail = f"{_shown(told)}: each waits for the one before it, so none could start"
    field, fix = _cut(waits, need)
    return scene.problem(waits, field, "cycle", detail, fix)


def _shown(told: list[Spot]) -> str:
    ids = [spot.path for spot in told]
    if len(ids) > MOST_SHOWN:
        ids = [*ids[: MOST_SHOWN - 2], f"… ({len(ids) - MOST_SHOWN} more)", *ids[-2:]]
    return " → ".join(ids)


def _cut(waits: Spot, need: Spot) -> tuple[Path, str]:
    for index, name in enumerate(waits.task.needs):
        if name in (need.task.id, need.path) or need.path.startswith(f"{name}."):
            return (
                "needs",
                index,
            ), f"take one of these needs out, for example {name!r} from those of {waits.task.id!r}"
    if any(name == waits.task.id for _, _, name in need.branches()):
        return (), f"{need.task.id!r} needs what hangs on its own answer: take one of the two out"
    return (), "take one of these needs out"
