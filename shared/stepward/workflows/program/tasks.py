"""Derive facts about a definition's tasks: order, effects, retries, containers."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from stepward.domain.errors import InvalidRequest
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.retries import Retry
from stepward.domain.tools import Effect
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.tasks.catalog import settings_of, type_of
from stepward.workflows.program.names import joined

# All tasks of a document.


def walk(
    tasks: tuple[TaskDefinition, ...], *, compensations: bool = True
) -> Iterator[tuple[str, TaskDefinition]]:
    """List all tasks with their paths, in the document's order.

    Args:
        tasks: The document's own; those of their groups and bodies are found.
        compensations: Whether to list those that undo others too, each after the task that it undoes.

    Returns:
        Pairs of path and task, each container before what is within it.
    """
    pending = [("", task) for task in reversed(tasks)]
    while pending:
        outer, task = pending.pop()
        path = joined(outer, task.id)
        yield path, task
        if task.compensate and compensations:
            yield f"{path}.compensate", task.compensate
        pending += [(path, inner) for inner in reversed(task.tasks)]


# Effects.


def effect_of(task: TaskDefinition) -> Effect:
    """Return what a second execution would do; `once` for a function not known yet."""
    try:
        return type_of(task).effect(settings_of(task))
    except (InvalidRequest, ValidationError):
        return Effect.ONCE


def sends_outside(task: TaskDefinition) -> bool:
    """Return whether the task sends its inputs out of the platform."""
    try:
        return type_of(task).is_outside(settings_of(task))
    except (InvalidRequest, ValidationError):
        return True


# Tasks of a compiled program.


CRITICAL_FROM = 8
"""From this priority on, a task's failure fails a run that may otherwise end in part."""


def retry_of(definition: WorkflowDefinition, task: TaskDefinition) -> Retry:
    """Return a task's own retry rule, else the workflow's."""
    return task.retry or definition.retry or Retry()


def fails_the_run(program: Program, planned: PlannedTask) -> bool:
    """Return whether a task's final failure ends the run at once.

    It does not if a container handles failures.
    """
    return ends_container(program, planned) and not any(
        handles_failures(container) for _, container in containers_of(program, planned.path)
    )


def ends_container(program: Program, planned: PlannedTask) -> bool:
    """Return whether a task's final failure ends the container that handles it, or the run."""
    if planned.task.on_error:
        return planned.task.on_error == "fail"
    if program.definition.allow_partial:
        return planned.task.priority >= CRITICAL_FROM
    return program.definition.on_error == "fail"


def handles_failures(container: TaskDefinition) -> bool:
    """Return whether a group or a body defines what a failure within it means.

    A group's time limit does not count: it cannot end by itself.
    """
    is_body = not type_of(container).is_group
    return (
        container.fallback is not None
        or container.on_error == "continue"
        or (is_body and container.timeout_s is not None)
    )


def containers_of(program: Program, path: str) -> list[tuple[str, TaskDefinition]]:
    """List the groups and bodies around a task with their paths, the nearest first."""
    found: list[tuple[str, TaskDefinition]] = []
    tasks, prefix = program.definition.tasks, ""
    for name in path.split(".")[:-1]:
        prefix = joined(prefix, name)
        task = next(one for one in tasks if one.id == name)
        found.append((prefix, task))
        tasks = task.tasks
    return found[::-1]


def body_of(program: Program, path: str) -> str:
    """Return the nearest body around a task, "" for the workflow itself; groups do not count."""
    outer = path.rpartition(".")[0]
    while outer and outer not in program.tasks:
        outer = outer.rpartition(".")[0]
    return outer


def group_at(program: Program, path: str) -> TaskDefinition:
    """Find a group's definition, which the program's tasks do not have."""
    return containers_of(program, f"{path}.")[0][1]


def has_compensations(program: Program) -> bool:
    """Return whether any task of the document has a compensation."""
    return any(planned.task.compensate for planned in program.tasks.values())
