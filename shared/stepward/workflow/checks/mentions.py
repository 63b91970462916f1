"""An expression may speak of a task only if that has ended when the expression is evaluated, or it would read nothing."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem, meant
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.reading import read_expression
from stepward.workflow.checks.scene import Scene, Spot
from stepward.workflow.checks.sites import Site, sites


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find tasks in expressions that do not exist, or that their task does not need."""
    for site in sites(scene):
        reading = read_expression(site.text)
        for name in () if reading.fault else reading.tasks():
            problem = _of_name(scene, orders, site, name)
            if problem:
                yield problem


def _of_name(scene: Scene, orders: Orders, site: Site, name: str) -> Problem | None:
    spot = site.spot
    found = _found(scene, site, name)
    if found is None:
        return _missing(scene, site, name)
    if spot is None or (site.after and (found is spot or found.container == spot.path)):
        return None
    if orders.may_name(spot, found):
        return None
    detail, fix = _not_before(orders, spot, found)
    return scene.problem(spot, site.inside, "not-needed", detail, fix)


def _found(scene: Scene, site: Site, name: str) -> Spot | None:
    if site.spot is None:
        return scene.beside("").get(name)
    if site.after and site.spot.is_body and name in scene.beside(site.spot.path):
        return scene.beside(site.spot.path)[name]
    return scene.seen(site.spot, name)


def _missing(scene: Scene, site: Site, name: str) -> Problem:
    within = next((one for one in scene.spots if one.task.id == name), None)
    detail = f"there is no task {name!r} that this could read"
    visible = _visible(scene, site)
    fix = meant(
        name, visible, f"the tasks here are {', '.join(sorted(visible)[:8])}" if visible else "there are none"
    )
    if within and within.around:
        outer = within.around
        detail = f"{within.path!r} runs within {outer.task.id!r}, and is not seen from here"
        fix = f"read $tasks.{outer.task.id}" + (
            f".{name}" if outer.is_group else f", and say in its `collect` what {name!r} brings"
        )
    return scene.problem(site.spot, site.inside, "missing-task", detail, fix)


def _visible(scene: Scene, site: Site) -> set[str]:
    visible = set(scene.beside(""))
    spot = site.spot
    while spot:
        visible |= scene.beside(spot.container).keys()
        spot = spot.around
    return visible


def _not_before(orders: Orders, spot: Spot, found: Spot) -> tuple[str, str]:
    waits = spot.undoes or spot
    while waits.container != found.container and waits.around:
        waits = waits.around
    name = found.task.id
    if found is waits:
        return f"{name!r} has no outcome yet when this is evaluated", "read something else"
    order = orders.scopes.get(found.scope)
    if order and order.is_machine and not found.container:
        return f"no way leads from {name!r} to {waits.task.id!r}", "read a task that may run before"
    if order and waits.scope == found.scope and order.comes_before(waits, found):
        return (
            f"{name!r} runs after {waits.task.id!r}, so it has no outcome yet",
            "read a task that runs before",
        )
    detail = f"{waits.task.id!r} does not wait for {name!r}, so this might read nothing"
    return detail, f"add {name!r} to the needs of {waits.task.id!r}"
