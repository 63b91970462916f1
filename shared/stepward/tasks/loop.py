"""Runs its tasks again until something holds, and never more often than it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from pydantic import Field

from stepward.domain.bounds import Bound
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import SettingFault, TaskSettings, TaskType
from stepward.tasks.facts import Picture, Step

EXPECTED_ROUNDS: Final = 2
"""For how many a plan takes a loop whose end nobody knows before the run."""


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
    example: ClassVar[Mapping[str, Any]] = {
        "until": "{% $iteration > 2 %}",
        "max_iterations": 3,
        "tasks": [{"id": "b", "output": 1}],
    }
    settings = LoopSettings
    steps = (Step.BEGIN, Step.ROUNDS)
    picture = Picture("#0f9d8a", "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15")
    expressions = ("until", "collect")
    later = ("until", "collect")
    questions = ("until",)
    variables = frozenset({"iteration", "previous"})
    markers = ("max_iterations",)
    shared_markers = ("tasks", "until")
    bound = "max_iterations"

    def rounds(self, settings: LoopSettings) -> Bound:
        """One at least, since `until` is asked after a round."""
        most = settings.max_iterations
        return Bound(least=1, expected=min(EXPECTED_ROUNDS, most), most=most)

    def caption(self, task: TaskDefinition, settings: LoopSettings) -> str:
        """Return how many rounds."""
        del task
        return f"loop, up to {settings.max_iterations} rounds"

    def faults(self, task: TaskDefinition, settings: LoopSettings) -> Iterator[SettingFault]:
        """A body without tasks does nothing."""
        del settings
        if not task.tasks:
            yield SettingFault("tasks", f"the body of {task.id!r} is empty", "give it tasks")
