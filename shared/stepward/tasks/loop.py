"""The task type `loop`: repeats its tasks until a condition holds, with a limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from pydantic import Field

from stepward.domain.bounds import Bound
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import SettingFault, TaskSettings, TaskType
from stepward.tasks.facts import Picture, Step

EXPECTED_ROUNDS: Final = 2
"""The number of iterations that a plan assumes for a loop."""


class LoopSettings(TaskSettings):
    """When to stop, how many iterations at most, and the loop's output.

    Without `collect` that is the outputs of the last iteration.
    """

    until: str = Field(description="An expression, asked after each round; if it is true the loop ends.")
    max_iterations: int = Field(strict=True, ge=1, le=1_000, description="How many rounds there are at most.")
    collect: Any = Field(
        default=None, description="What the loop brings; without it the last round's outputs."
    )


class LoopTask(TaskType[LoopSettings]):
    """Repeats a body, with the variables `$iteration` (from 0) and `$previous`.

    `$previous` has the outputs of the iteration before.
    """

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
        """Return at least one iteration, since `until` is evaluated after each."""
        most = settings.max_iterations
        return Bound(least=1, expected=min(EXPECTED_ROUNDS, most), most=most)

    def caption(self, task: TaskDefinition, settings: LoopSettings) -> str:
        """Return the number of iterations."""
        del task
        return f"loop, up to {settings.max_iterations} rounds"

    def faults(self, task: TaskDefinition, settings: LoopSettings) -> Iterator[SettingFault]:
        """Yield an empty body."""
        del settings
        if not task.tasks:
            yield SettingFault("tasks", f"the body of {task.id!r} is empty", "give it tasks")
