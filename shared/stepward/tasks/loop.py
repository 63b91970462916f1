"""Runs its tasks again until something holds, and never more often than it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import Fault, Place, TaskSettings, TaskType


class LoopSettings(TaskSettings):
    """When to stop, how many rounds at most, and what the loop brings (without `collect` the last round's outputs)."""

    until: str = Field(description="An expression, asked after each round; if it is true the loop ends.")
    max_iterations: int = Field(strict=True, ge=1, le=1_000, description="How many rounds there are at most.")
    collect: Any = Field(
        default=None, description="What the loop brings; without it the last round's outputs."
    )


class LoopTask(TaskType[LoopSettings]):
    """Repeats a body; within, `$iteration` counts from 0 and `$previous` has the outputs of the round before."""

    name = "loop"
    purpose = "Runs its tasks until `until` holds after a round, at most `max_iterations` rounds."
    place = Place.BODY
    settings = LoopSettings
    expressions = ("until", "collect")
    later = ("until", "collect")

    def faults(self, task: TaskDefinition, settings: LoopSettings) -> Iterator[Fault]:
        """A body without tasks does nothing."""
        del settings
        if not task.tasks:
            yield Fault("tasks", f"the body of {task.id!r} is empty", "give it tasks")
