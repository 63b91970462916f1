"""Check a workflow's size and times against what a state machine holds."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from pydantic import ValidationError

from stepward.domain.chunks import MOST_LANES
from stepward.domain.documents.problems import Problem
from stepward.domain.errors import InvalidRequest
from stepward.domain.workflows import DEEPEST_NESTING, LONGEST_PATH_CHARS, MOST_TASKS, TaskDefinition
from stepward.tasks.catalog import CATALOG, type_of
from stepward.workflows.checks.context import CheckContext, TaskNode
from stepward.workflows.checks.precedence import Precedence
from stepward.workflows.program.iteration_bounds import rounds_of
from stepward.workflows.program.limits import EVENTS_OF_ROUND, MOST_EVENTS, PLANNED_EVENTS

EVENTS_OF_TASK: Final = 6
"""Events of a task that is answered by a token; retries are not counted, for there may be none."""
_SUBWORKFLOW: Final = "put the body into a workflow of its own and call it by a task of type subworkflow"


def find_exceeded_limits(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find too many tasks or events, too long paths, too deep bodies, impossible times."""
    del precedence
    if len(context.nodes) > MOST_TASKS:
        detail = f"there are {len(context.nodes):,} tasks; {MOST_TASKS:,} are the most"
        yield context.problem(
            None, "tasks", "too-many-tasks", detail, "take the graph apart into subworkflows"
        )
    for node in context.nodes:
        yield from _of_place(context, node)
        yield from _of_time(context, node)
        if node.is_sequential and not any(one.is_sequential for one in node.bodies()):
            yield from _of_events(context, node)


def _of_place(context: CheckContext, node: TaskNode) -> Iterator[Problem]:
    if len(node.path) > LONGEST_PATH_CHARS:
        detail = f"the path {node.path!r} has {len(node.path)} characters; {LONGEST_PATH_CHARS} are the most"
        yield context.problem(
            node, "id", "path-too-long", detail, "use shorter ids; it names a state of the machine"
        )
    if node.path.count(".") == DEEPEST_NESTING:
        detail = f"{node.path!r} is nested deeper than {DEEPEST_NESTING} levels"
        yield context.problem(node, (), "nested-too-deep", detail, _SUBWORKFLOW)


def _of_time(context: CheckContext, node: TaskNode) -> Iterator[Problem]:
    own, whole = node.task.timeout_s, context.definition.timeout_s
    if own is not None and own > whole:
        detail = f"the task's {own:,} seconds are more than the workflow's {whole:,}"
        fix = f"give the workflow `timeout_s: {own}` or more, or the task less"
        yield context.problem(node, "timeout_s", "timeout-over-workflow", detail, fix)
    seconds = node.kind.fixed_s(node.task) if node.kind else None
    if seconds is not None and own is not None and seconds > own:
        detail = f"a wait of {seconds:,} seconds is longer than its own `timeout_s` of {own:,}"
        yield context.problem(node, "timeout_s", "timeout-under-wait", detail, "take `timeout_s` out")
    if seconds is not None and seconds >= whole:
        detail = f"a wait of {seconds:,} seconds never ends within the workflow's {whole:,}"
        yield context.problem(
            node, "seconds", "timeout-over-workflow", detail, "give the workflow more `timeout_s`"
        )


def _of_events(context: CheckContext, body: TaskNode) -> Iterator[Problem]:
    """Find a loop that is too long for one history.

    Its iterations need each other, so that none can run elsewhere.
    """
    rounds, inside = _rounds(body.task), _events_within(body.task.tasks)
    total = rounds * (inside + EVENTS_OF_ROUND)
    if total <= MOST_EVENTS:
        return
    most = MOST_EVENTS // (inside + EVENTS_OF_ROUND)
    detail = (
        f"{rounds:,} times {inside:,} + {EVENTS_OF_ROUND} events are {total:,}, and one execution's history "
        f"holds {MOST_EVENTS:,}"
    )
    bound = (body.kind and body.kind.bound) or "tasks"
    fix = f"lower `{bound}` to {most:,}, or {_SUBWORKFLOW}" if most else _SUBWORKFLOW
    yield context.problem(body, bound, "history-too-long", detail, fix)


def _events_within(tasks: tuple[TaskDefinition, ...]) -> int:
    total = 0
    for task in tasks:
        inside = _events_within(task.tasks)
        if task.type in CATALOG and type_of(task).is_group:
            total += inside
        else:
            total += EVENTS_OF_TASK + (_of_rounds(task, inside + EVENTS_OF_ROUND) if task.tasks else 0)
    return total


def _of_rounds(task: TaskDefinition, each: int) -> int:
    """Return the events of a body's iterations; those beyond one history run in chunks."""
    rounds = _rounds(task)
    if task.type in CATALOG and type_of(task).is_sequential:
        return rounds * each
    chunks = ceil(rounds * each / PLANNED_EVENTS)
    return min(rounds * each, chunks * MOST_LANES * (EVENTS_OF_TASK + EVENTS_OF_ROUND))


def _rounds(task: TaskDefinition) -> int:
    """Return how often a body iterates at most; once if its settings do not fit."""
    try:
        return rounds_of(task).most
    except (InvalidRequest, ValidationError):
        return 1
