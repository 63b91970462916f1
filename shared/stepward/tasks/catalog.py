"""The gallery's index: a type's module is imported when somebody first uses it."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any, Final

from stepward.domain.errors import InvalidRequest
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import Place, TaskType

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
    """Load a type by its name."""
    path = CATALOG.get(name)
    if path is None:
        near = get_close_matches(name, CATALOG, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise InvalidRequest(
            f"there is no task type {name!r}.", field="type", fix=f"{hint}known types: {', '.join(CATALOG)}"
        )
    module, _, attribute = path.partition(":")
    found: TaskType[Any] = getattr(import_module(module), attribute)()
    return found


def settings_of(task: TaskDefinition) -> Any:
    """Read a task's settings as its type knows them; they were checked when the version was registered."""
    return find_type(task.type).settings.model_validate(task.settings)


def is_awaited(task: TaskDefinition) -> bool:
    """Whether somebody else answers the task."""
    kind = find_type(task.type)
    return kind.place is Place.AWAITED or (
        kind.place is Place.WITHIN and kind.place_of(settings_of(task)) is Place.AWAITED
    )
