"""Makes the record of a task's end, and says what its state machine does then."""

from __future__ import annotations

from typing import Any

from stepward.domain.programs import PlannedTask, Program
from stepward.domain.retries import Retry
from stepward.domain.runs import RunError
from stepward.domain.task_records import TaskRecord, TaskStatus
from stepward.domain.workflows import TaskDefinition

CRITICAL_FROM = 8
"""A priority of this and more fails a run that may otherwise end in part."""


def retry_of(program: Program, planned: PlannedTask) -> Retry:
    """A task's own rule, else the workflow's."""
    return planned.task.retry or program.definition.retry or Retry()


def fails_the_run(program: Program, planned: PlannedTask) -> bool:
    """Whether a task's failure for good ends the run at once: not where what it is in answers for it."""
    return ends_what_it_is_in(program, planned) and not any(
        answers_for(container) for _, container in containers_of(program, planned.path)
    )


def ends_what_it_is_in(program: Program, planned: PlannedTask) -> bool:
    """Whether a task's failure for good ends the nearest that answers for it, and where nothing does the run."""
    if planned.task.on_error:
        return planned.task.on_error == "fail"
    if program.definition.allow_partial:
        return planned.task.priority >= CRITICAL_FROM
    return program.definition.on_error == "fail"


def answers_for(container: TaskDefinition) -> bool:
    """Whether a group or a body says what a failure within it means; a group cannot end by itself when time is over."""
    is_body = container.type != "parallel"
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
        prefix = f"{prefix}.{name}" if prefix else name
        task = next(one for one in tasks if one.id == name)
        found.append((prefix, task))
        tasks = task.tasks
    return found[::-1]


def group_at(program: Program, path: str) -> TaskDefinition:
    """Find a group's definition, which the program's tasks do not have."""
    return containers_of(program, f"{path}.")[0][1]


def completed(output: Any, *, attempt: int, started_at: str, ended_at: str, **more: Any) -> TaskRecord:
    """Make the record of a task that brought what it should."""
    return TaskRecord(
        status=TaskStatus.COMPLETED,
        output=output,
        attempt=attempt,
        started_at=started_at,
        ended_at=ended_at,
        **more,
    )


def skipped(why: str, at: str) -> TaskRecord:
    """Make the record of a task that did not run."""
    return TaskRecord(status=TaskStatus.SKIPPED, why=why[:300], started_at=at, ended_at=at)


def failed(error: RunError, *, attempt: int, started_at: str, ended_at: str, **more: Any) -> TaskRecord:
    """Make the record of a task that failed for good."""
    return TaskRecord(
        status=TaskStatus.FAILED,
        error=error,
        attempt=attempt,
        started_at=started_at,
        ended_at=ended_at,
        **more,
    )
