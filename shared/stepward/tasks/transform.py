"""Makes a value of others: no call, no cost."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from stepward.tasks.base import Done, Place, Ready, TaskContext, TaskSettings, TaskType


class TransformSettings(TaskSettings):
    """The value, with expressions; without one the task's inputs are its output."""

    output: Any = Field(
        default=None,
        description="The value, with expressions anywhere in it; without it `with` is the value.",
    )


class TransformTask(TaskType[TransformSettings]):
    """Computes its output by expressions."""

    name = "transform"
    purpose = "Makes a value of the input and of other tasks' outputs, by JSONata."
    place = Place.WITHIN
    settings = TransformSettings
    expressions = ("output",)

    def run(self, ready: Ready[TransformSettings], context: TaskContext) -> Done:
        """Give what the expressions gave."""
        del context
        has_own = "output" in ready.settings.model_fields_set
        return Done(ready.settings.output if has_own else ready.inputs)
