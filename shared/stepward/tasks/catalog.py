"""The catalog of task types; a type's module is imported at its first use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any, Final

from stepward.domain.errors import InvalidRequest
from stepward.domain.nearest import choices_with_nearest
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import TaskType
from stepward.tasks.context import ChildRun
from stepward.tasks.facts import Answered, Branch, Step

CATALOG: Final[dict[str, str]] = {
    "agent": "stepward.tasks.agent:AgentTask",
    "condition": "stepward.tasks.condition:ConditionTask",
    "event": "stepward.tasks.event:EventTask",
    "foreach": "stepward.tasks.foreach:ForeachTask",
    "human": "stepward.tasks.human:HumanTask",
    "loop": "stepward.tasks.loop:LoopTask",
    "parallel": "stepward.tasks.parallel:ParallelTask",
    "subworkflow": "stepward.tasks.subworkflow:SubworkflowTask",
    "tool": "stepward.tasks.tool:ToolTask",
    "transform": "stepward.tasks.transform:TransformTask",
    "wait": "stepward.tasks.wait:WaitTask",
    "webhook": "stepward.tasks.webhook:WebhookTask",
}


@cache
def find_type(name: str) -> TaskType[Any]:
    """Return a type by its name.

    Raises:
        InvalidRequest: There is no such type.
    """
    path = CATALOG.get(name)
    if path is None:
        raise InvalidRequest(
            f"there is no task type {name!r}.",
            field="type",
            fix=choices_with_nearest(name, CATALOG, f"known types: {', '.join(CATALOG)}"),
        )
    module, _, attribute = path.partition(":")
    found: TaskType[Any] = getattr(import_module(module), attribute)()
    return found


def type_of(task: TaskDefinition) -> TaskType[Any]:
    """Return a task's type."""
    return find_type(task.type)


def all_types() -> Iterator[TaskType[Any]]:
    """Return every type, in the order of their names."""
    return (find_type(name) for name in CATALOG)


def settings_of(task: TaskDefinition) -> Any:
    """Return a task's settings as its type reads them; registration has checked them."""
    return type_of(task).settings.model_validate(task.settings)


def steps_of(task: TaskDefinition) -> tuple[Step, ...]:
    """Return the steps of a task under its settings."""
    kind = type_of(task)
    return kind.steps_of(settings_of(task)) if Step.CALL in kind.steps else kind.steps


def is_awaited(task: TaskDefinition) -> bool:
    """Return whether the task is answered from outside its function."""
    return Step.AWAIT in steps_of(task)


def branches_of(task: TaskDefinition) -> tuple[Branch, ...]:
    """Return the tasks that depend on a task's answer."""
    kind = type_of(task)
    has_branches = type(kind).branches is not TaskType.branches
    return tuple(kind.branches(settings_of(task))) if has_branches else ()


def child_of(task: TaskDefinition) -> ChildRun | None:
    """Return the run that a task starts; None if it starts none."""
    kind = type_of(task)
    return kind.child(settings_of(task)) if kind.starts else None


def answered_by(task: TaskDefinition) -> Answered | None:
    """Return how an awaited task is answered from outside; None if a run answers it."""
    return type_of(task).answered if is_awaited(task) else None


def asks_person(task: TaskDefinition) -> bool:
    """Return whether a person's decision is the task's outcome."""
    answered = type_of(task).answered
    return answered is not None and answered.is_approval


def lets_time_pass(task: TaskDefinition) -> bool:
    """Return whether the task waits, for an answer or for a time, while the run may be idle."""
    return not {Step.AWAIT, Step.PAUSE}.isdisjoint(steps_of(task))
