"""What a state machine cannot hold is said with its numbers before one is made."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any, Final

from stepward.domain.chunks import MOST_LANES
from stepward.domain.documents.problems import Problem
from stepward.domain.workflows import DEEPEST_NESTING, LONGEST_PATH_CHARS, MOST_TASKS, TaskDefinition
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene, Spot
from stepward.workflow.limits import EVENTS_OF_ROUND, MOST_EVENTS, PLANNED_EVENTS

EVENTS_OF_TASK: Final = 6
"""Of one that is answered by a token; what is tried again is not counted here, for it may never be."""
_SUBWORKFLOW: Final = "put the body into a workflow of its own and call it by a task of type subworkflow"


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find too many tasks, too long paths, too deep bodies, too many events, and times that cannot come."""
    del orders
    if len(scene.spots) > MOST_TASKS:
        detail = f"there are {len(scene.spots):,} tasks; {MOST_TASKS:,} are the most"
        yield scene.problem(None, "tasks", "too-many-tasks", detail, "take the graph apart into subworkflows")
    for spot in scene.spots:
        yield from _of_place(scene, spot)
        yield from _of_time(scene, spot)
        if spot.task.type == "loop" and all(one.task.type != "loop" for one in spot.bodies()):
            yield from _of_events(scene, spot)


def _of_place(scene: Scene, spot: Spot) -> Iterator[Problem]:
    if len(spot.path) > LONGEST_PATH_CHARS:
        detail = f"the path {spot.path!r} has {len(spot.path)} characters; {LONGEST_PATH_CHARS} are the most"
        yield scene.problem(
            spot, "id", "path-too-long", detail, "use shorter ids; it names a state of the machine"
        )
    if spot.path.count(".") == DEEPEST_NESTING:
        detail = f"{spot.path!r} is nested deeper than {DEEPEST_NESTING} levels"
        yield scene.problem(spot, (), "nested-too-deep", detail, _SUBWORKFLOW)


def _of_time(scene: Scene, spot: Spot) -> Iterator[Problem]:
    own, whole = spot.task.timeout_s, scene.definition.timeout_s
    if own is not None and own > whole:
        detail = f"the task's {own:,} seconds are more than the workflow's {whole:,}"
        fix = f"give the workflow `timeout_s: {own}` or more, or the task less"
        yield scene.problem(spot, "timeout_s", "timeout-over-workflow", detail, fix)
    seconds = spot.task.settings.get("seconds") if spot.task.type == "wait" else None
    if isinstance(seconds, int) and own is not None and seconds > own:
        detail = f"a wait of {seconds:,} seconds is longer than its own `timeout_s` of {own:,}"
        yield scene.problem(spot, "timeout_s", "timeout-under-wait", detail, "take `timeout_s` out")
    if isinstance(seconds, int) and seconds >= whole:
        detail = f"a wait of {seconds:,} seconds never ends within the workflow's {whole:,}"
        yield scene.problem(
            spot, "seconds", "timeout-over-workflow", detail, "give the workflow more `timeout_s`"
        )


def _of_events(scene: Scene, body: Spot) -> Iterator[Problem]:
    """Find a loop that is too long for one history: its rounds need each other, so that none can run elsewhere."""
    rounds, inside = _rounds(body.task), _events_within(body.task.tasks)
    total = rounds * (inside + EVENTS_OF_ROUND)
    if total <= MOST_EVENTS:
        return
    most = MOST_EVENTS // (inside + EVENTS_OF_ROUND)
    detail = (
        f"{rounds:,} times {inside:,} + {EVENTS_OF_ROUND} events are {total:,}, and one execution's history "
        f"holds {MOST_EVENTS:,}"
    )
    fix = f"lower `max_iterations` to {most:,}, or {_SUBWORKFLOW}" if most else _SUBWORKFLOW
    yield scene.problem(body, "max_iterations", "history-too-long", detail, fix)


def _events_within(tasks: tuple[TaskDefinition, ...]) -> int:
    total = 0
    for task in tasks:
        inside = _events_within(task.tasks)
        if task.type == "parallel":
            total += inside
        else:
            total += EVENTS_OF_TASK + (_of_rounds(task, inside + EVENTS_OF_ROUND) if task.tasks else 0)
    return total


def _of_rounds(task: TaskDefinition, each: int) -> int:
    """What a body's rounds take; items that are too many for one history run in executions of their own."""
    rounds = _rounds(task)
    if task.type == "loop":
        return rounds * each
    chunks = ceil(rounds * each / PLANNED_EVENTS)
    return min(rounds * each, chunks * MOST_LANES * (EVENTS_OF_TASK + EVENTS_OF_ROUND))


def _rounds(task: TaskDefinition) -> int:
    """How often a body runs at most; a list in the document says it exactly."""
    items: Any = task.settings.get("items")
    if isinstance(items, list):
        return len(items)
    said = task.settings.get("max_items" if task.type == "foreach" else "max_iterations", 100)
    return said if isinstance(said, int) else 1
