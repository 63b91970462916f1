"""The task type `parallel`: groups tasks under one name that others can need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import SettingFault, TaskSettings, TaskType
from stepward.tasks.facts import Picture


class ParallelTask(TaskType[TaskSettings]):
    """A group of tasks that run in parallel, at no cost of its own."""

    name = "parallel"
    purpose = "Groups tasks that run side by side; the group's output is their outputs by id."
    example: ClassVar[Mapping[str, Any]] = {"tasks": {"b": {"output": 1}, "c": {"output": 2}}}
    settings = TaskSettings
    steps = ()
    picture = Picture("#7b8496", "M6 5v14M12 5v14M18 5v14")
    shared_markers = ("tasks",)
    aliases: ClassVar[Mapping[str, str]] = {"parallel": "tasks"}

    def caption(self, task: TaskDefinition, settings: TaskSettings) -> str:
        """Return that it is a group."""
        del task, settings
        return "group"

    def faults(self, task: TaskDefinition, settings: TaskSettings) -> Iterator[SettingFault]:
        """Yield an empty group."""
        del settings
        if not task.tasks:
            yield SettingFault("tasks", f"the group {task.id!r} is empty", "give it tasks")
