"""A state machine goes from task to task: every way leads somewhere, every task lies on one, and no circle is endless."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem, meant
from stepward.workflow.checks.order import Order, Orders
from stepward.workflow.checks.scene import Scene, Spot


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find what the two shapes of graphs do not share, and what is wrong with a machine's ways."""
    is_machine = scene.definition.is_state_machine
    for spot in scene.spots:
        if is_machine and spot.is_group and not spot.container:
            detail = "a state machine goes from task to task, and a group is none"
            fix = "put its tasks into a foreach of one item (`items: [1]`), or into a workflow of their own"
            yield scene.problem(spot, "type", "wrong-shape", detail, fix)
        if spot.task.next and (spot.container or not is_machine):
            where = "within a body or group" if spot.container else "without a `start`"
            fix = "use `needs`" if spot.container else "use `needs`, or give the workflow a `start`"
            yield scene.problem(spot, "next", "wrong-shape", f"`next` has no meaning {where}", fix)
    if is_machine and "" in orders.scopes:
        yield from _start(scene)
        yield from _ways(scene)
        yield from _circles(scene, orders.scopes[""])
        yield from _unreached(scene)


def _tasks(scene: Scene) -> list[Spot]:
    return [spot for spot in scene.spots if not spot.container]


def _start(scene: Scene) -> Iterator[Problem]:
    start = scene.definition.start or ""
    if start not in scene.beside(""):
        fix = meant(start, scene.beside(""), "name one of the tasks")
        yield scene.problem(None, "start", "missing-task", f"there is no task {start!r} to start with", fix)


def _ways(scene: Scene) -> Iterator[Problem]:
    known = scene.beside("")
    for spot in _tasks(scene):
        if spot.task.needs:
            detail = "a state machine goes by `next`, so `needs` has no meaning"
            yield scene.problem(spot, "needs", "wrong-shape", detail, "let the task before it say `next`")
        for index, transition in enumerate(spot.task.next):
            if transition.to not in known:
                detail = f"there is no task {transition.to!r} to go to"
                fix = meant(transition.to, known, "name one of the workflow's own tasks")
                yield scene.problem(spot, ("next", index, "to"), "missing-task", detail, fix)
            if transition.when is None and index < len(spot.task.next) - 1:
                detail = f"the way to {transition.to!r} is always taken, so none after it ever is"
                fix = "give it a `when`, or put it last"
                yield scene.problem(spot, ("next", index + 1), "unreachable", detail, fix)


def _circles(scene: Scene, order: Order) -> Iterator[Problem]:
    """Find circles on which no task says how often it may be visited: one that does bounds all the others."""
    bounded = {number for number, spot in enumerate(order.spots) if spot.task.max_visits is not None}
    needs = [
        [] if node in bounded else [n for n in needed if n not in bounded]
        for node, needed in enumerate(order.graph.needs)
    ]
    for node, needed in enumerate(needs):
        if node in needed:
            yield _endless(scene, [order.spot_of(node)])
    unbounded = type(order.graph)(needs)
    for ring in unbounded.rings:
        nodes = unbounded.shortest_ring(ring)
        yield _endless(scene, [order.spot_of(node) for node in nodes[:-1]])


def _endless(scene: Scene, circle: list[Spot]) -> Problem:
    ids = [spot.task.id for spot in circle]
    shown = " → ".join([*ids[:12], *(["…"] if len(ids) > 12 else []), ids[0]])
    detail = f"{shown}: nothing says how often the run may come by"
    return scene.problem(circle[0], "next", "no-bound", detail, f"give {ids[0]!r} `max_visits`")


def _unreached(scene: Scene) -> Iterator[Problem]:
    known = scene.beside("")
    ahead = [scene.definition.start or ""]
    reached: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name in known and name not in reached:
            reached.add(name)
            ahead.extend(transition.to for transition in known[name].task.next)
    for spot in _tasks(scene) if reached else ():
        if spot.task.id not in reached:
            detail = f"no way leads from {scene.definition.start!r} to {spot.task.id!r}"
            yield scene.problem(
                spot, (), "unreachable", detail, "let a task's `next` lead to it, or take it out"
            )
