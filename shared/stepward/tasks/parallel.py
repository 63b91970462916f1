"""Holds tasks together under one name: what needs the group needs all of them."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import Fault, Place, TaskSettings, TaskType


class ParallelTask(TaskType[TaskSettings]):
    """A group: its tasks run side by side, and cost nothing more for being in it."""

    name = "parallel"
    purpose = "Groups tasks that run side by side; the group's output is their outputs by id."
    place = Place.GROUP
    settings = TaskSettings

    def faults(self, task: TaskDefinition, settings: TaskSettings) -> Iterator[Fault]:
        """An empty group has nothing to wait for."""
        del settings
        if not task.tasks:
            yield Fault("tasks", f"the group {task.id!r} is empty", "give it tasks")
