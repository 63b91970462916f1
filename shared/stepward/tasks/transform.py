"""The task type `transform`: computes a value by expressions, without a call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from stepward.domain.workflows import TaskDefinition
from stepward.expressions.evaluate import expressions_in
from stepward.tasks.base import Ready, TaskSettings, TaskType
from stepward.tasks.context import Done, TaskContext
from stepward.tasks.facts import Picture, Step


class TransformSettings(TaskSettings):
    """The value, with expressions; by default the task's inputs."""

    output: Any = Field(
        default=None,
        description="The value, with expressions anywhere in it; without it `with` is the value.",
    )


class TransformTask(TaskType[TransformSettings]):
    """Computes its output by expressions."""

    name = "transform"
    purpose = "Makes a value of the input and of other tasks' outputs, by JSONata."
    example: ClassVar[Mapping[str, Any]] = {"output": {"a": ["{% $input.x %}"]}}
    settings = TransformSettings
    steps = (Step.CALL,)
    picture = Picture("#5f6b7c", "M4 8.5h14M14.5 5l3.5 3.5-3.5 3.5M20 16H6M9.5 12.5L6 16l3.5 3.5")
    expressions = ("output",)
    shared_markers = ("output",)

    def output_bytes(self, task: TaskDefinition) -> int | None:
        """Return the size of an output without expressions."""
        output = task.settings.get("output", task.inputs)
        if any(True for _ in expressions_in(output)):
            return None
        return len(json.dumps(output, ensure_ascii=False).encode())

    def run(self, ready: Ready[TransformSettings], context: TaskContext) -> Done:
        """Return the evaluated output."""
        del context
        has_own = "output" in ready.settings.model_fields_set
        return Done(ready.settings.output if has_own else ready.inputs)
