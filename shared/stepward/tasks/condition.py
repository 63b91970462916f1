"""The task type `condition`: a yes-or-no question that selects one of two branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import AliasChoices, Field

from stepward.domain.errors import OutputMalformed
from stepward.domain.json_text import as_read
from stepward.domain.workflows import TaskDefinition, TaskId
from stepward.expressions.evaluate import is_expression
from stepward.tasks.base import FEW_BYTES, Ready, SettingFault, TaskSettings, TaskType
from stepward.tasks.context import Done, TaskContext
from stepward.tasks.facts import Branch, Picture, Step, short


class ConditionSettings(TaskSettings):
    """The question, and the tasks that run only for one of its answers."""

    test: Any = Field(
        validation_alias=AliasChoices("test", "expression"),
        description="The question: an expression that gives true or false.",
    )
    then: tuple[TaskId, ...] = Field(default=(), description="The tasks that run only if the answer is true.")
    otherwise: tuple[TaskId, ...] = Field(
        default=(),
        validation_alias=AliasChoices("otherwise", "else"),
        description="The tasks that run only if the answer is false.",
    )


class ConditionTask(TaskType[ConditionSettings]):
    """Answers true or false."""

    name = "condition"
    purpose = "Answers a yes-or-no question; the tasks of `then` or of `otherwise` are skipped by the answer."
    example: ClassVar[Mapping[str, Any]] = {"test": "{% $input.ok %}", "then": [], "otherwise": []}
    settings = ConditionSettings
    steps = (Step.CALL,)
    picture = Picture("#d6409f", "M12 4l8 8-8 8-8-8z", ("{", "}"))
    expressions = ("test",)
    questions = ("test",)
    markers = ("test", "then", "otherwise")
    aliases: ClassVar[Mapping[str, str]] = {"condition": "test"}

    def output_schema(self, settings: ConditionSettings) -> Mapping[str, Any] | None:
        """Return the schema of true and false."""
        del settings
        return {"type": "boolean"}

    def output_bytes(self, task: TaskDefinition) -> int | None:
        """Return the size of true and false."""
        del task
        return FEW_BYTES

    def branches(self, settings: ConditionSettings) -> Iterator[Branch]:
        """Yield the tasks of each answer."""
        yield Branch("then", True, settings.then)
        yield Branch("otherwise", False, settings.otherwise)

    def caption(self, task: TaskDefinition, settings: ConditionSettings) -> str:
        """Return the question."""
        del task
        return short(str(settings.test), 40)

    def faults(self, task: TaskDefinition, settings: ConditionSettings) -> Iterator[SettingFault]:
        """Yield tasks in both branches, and a test that cannot be true or false."""
        if not isinstance(settings.test, bool) and not is_expression(settings.test):
            shown = repr(settings.test)[:80]
            yield SettingFault(
                "test", f"{task.id!r} asks {shown}, which is neither true nor false", "ask an expression"
            )
        for both in sorted(set(settings.then) & set(settings.otherwise)):
            yield SettingFault("then", f"{both!r} stands in `then` and in `otherwise`", "keep one of the two")

    def run(self, ready: Ready[ConditionSettings], context: TaskContext) -> Done:
        """Return the answer.

        Raises:
            OutputMalformed: It is neither true nor false.
        """
        del context
        if not isinstance(ready.settings.test, bool):
            shown = as_read(ready.settings.test)
            raise OutputMalformed(f"the condition gave {shown}, which is neither true nor false.")
        return Done(ready.settings.test)
