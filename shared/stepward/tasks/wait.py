"""The task type `wait`: a Wait state, which costs one transition however long it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from stepward.domain.durations import A_YEAR_S
from stepward.domain.errors import OutputMalformed
from stepward.domain.json_text import as_read
from stepward.domain.workflows import TaskDefinition
from stepward.expressions.evaluate import is_expression
from stepward.tasks.base import FEW_BYTES, Ready, SettingFault, TaskSettings, TaskType
from stepward.tasks.context import Done, TaskContext
from stepward.tasks.facts import Picture, Step, short

_ZONE = "write it in UTC, as in 2026-12-24T18:00:00Z"
_FAR = "an execution lives a year: name an earlier time, or start another run then"


def _or_expression(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Leave an expression as it is: its value is validated when it is known."""
    if is_expression(value):
        return value
    # A number that was computed may be whole without being an integer.
    return validate(int(value) if isinstance(value, float) and value.is_integer() else value)


_OrExpression = WrapValidator(_or_expression)


class WaitSettings(TaskSettings):
    """How long to wait, or until when (UTC)."""

    seconds: Annotated[int, Field(strict=True, ge=0, le=A_YEAR_S), _OrExpression] | None = Field(
        default=None, description="How many seconds to wait, or an expression that gives them."
    )
    until: Annotated[datetime, _OrExpression] | None = Field(
        default=None,
        description="Until when to wait instead, with its zone, as in 2026-12-24T18:00:00Z; or an expression that gives it.",
    )

    def left_s(self, now: datetime) -> int:
        """Return how long to wait, after expressions are evaluated.

        Args:
            now: The time in UTC.

        Returns:
            Whole seconds; 0 for a time that is over.

        Raises:
            OutputMalformed: An expression gave no time, one without a zone, or one that is more than a year away.
        """
        if isinstance(self.seconds, int):
            return self.seconds
        if not isinstance(self.until, datetime):
            gave = "`until`" if self.until is not None else "`seconds`"
            raise OutputMalformed(f"{gave} gave {as_read(self.until or self.seconds)}, which is not a time.")
        if self.until.tzinfo is None:
            raise OutputMalformed(f"`until` gave {self.until.isoformat()}, which has no zone; {_ZONE}.")
        seconds = ceil((self.until.astimezone(UTC) - now).total_seconds())
        if seconds > A_YEAR_S:
            raise OutputMalformed(f"`until` gave {self.until.isoformat()}, more than a year away; {_FAR}.")
        return max(0, seconds)


class WaitTask(TaskType[WaitSettings]):
    """Waits in a state of its own, before the one that records the outcome."""

    name = "wait"
    purpose = "Waits for some seconds, or until a time."
    example: ClassVar[Mapping[str, Any]] = {"seconds": 3}
    settings = WaitSettings
    steps = (Step.BEGIN, Step.PAUSE, Step.KEEP)
    picture = Picture("#8a8f98", "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 7.5V12l3 2.2", ("((", "))"))
    expressions = ("seconds", "until")
    markers = ("seconds",)
    shared_markers = ("until",)

    def fixed_s(self, task: TaskDefinition) -> int | None:
        """Return the seconds in the document."""
        seconds = task.settings.get("seconds")
        return seconds if isinstance(seconds, int) else None

    def output_bytes(self, task: TaskDefinition) -> int | None:
        """Return the size of null."""
        del task
        return FEW_BYTES

    def caption(self, task: TaskDefinition, settings: WaitSettings) -> str:
        """Return how long, or until when."""
        del settings
        seconds = task.settings.get("seconds")
        return short(f"wait {seconds} s" if seconds else f"wait until {task.settings.get('until')}")

    def faults(self, task: TaskDefinition, settings: WaitSettings) -> Iterator[SettingFault]:
        """Yield a missing or doubled time, one without a zone, and one that cannot come."""
        if (settings.seconds is None) == (settings.until is None):
            yield SettingFault(
                "seconds", f"{task.id!r} says not how long, or says it twice", "give `seconds` or `until`"
            )
        if settings.seconds == 0:
            yield SettingFault(
                "seconds", "a wait of 0 seconds is none", "give 1 or more, or take the task out"
            )
        until = settings.until
        if isinstance(until, datetime) and until.tzinfo is None:
            yield SettingFault("until", f"{until} has no zone", _ZONE)
        elif isinstance(until, datetime) and until > datetime.now(UTC) + timedelta(seconds=A_YEAR_S):
            yield SettingFault("until", f"{until.isoformat()} is more than a year away", _FAR)

    def output_schema(self, settings: WaitSettings) -> Mapping[str, Any] | None:
        """Return the schema of null."""
        del settings
        return {"type": "null"}

    def run(self, ready: Ready[WaitSettings], context: TaskContext) -> Done:
        """Return null at once, where it compensates another task."""
        del ready, context
        return Done(None)
