"""Lets time pass without anything running: a Wait state costs one transition, however long it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from stepward.domain.durations import A_YEAR_S
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import Done, Fault, Place, Ready, TaskContext, TaskSettings, TaskType


class WaitSettings(TaskSettings):
    """How long, or until when (UTC)."""

    seconds: int | None = Field(
        default=None, strict=True, ge=1, le=A_YEAR_S, description="How many seconds to wait."
    )
    until: datetime | None = Field(
        default=None, description="Until when to wait instead, with its zone, as in 2026-12-24T18:00:00Z."
    )


class WaitTask(TaskType[WaitSettings]):
    """Waits; a state of its own before the one that keeps the record."""

    name = "wait"
    purpose = "Waits for some seconds, or until a time."
    place = Place.WITHIN
    settings = WaitSettings

    def faults(self, task: TaskDefinition, settings: WaitSettings) -> Iterator[Fault]:
        """Exactly one of the two says how long."""
        if (settings.seconds is None) == (settings.until is None):
            yield Fault(
                "seconds", f"{task.id!r} says not how long, or says it twice", "give `seconds` or `until`"
            )
        if settings.until and settings.until.tzinfo is None:
            yield Fault(
                "until", f"{settings.until} has no zone", "write it in UTC, as in 2026-12-24T18:00:00Z"
            )

    def output_schema(self, settings: WaitSettings) -> Mapping[str, Any] | None:
        """Say that waiting brings nothing."""
        del settings
        return {"type": "null"}

    def run(self, ready: Ready[WaitSettings], context: TaskContext) -> Done:
        """Nothing is left to do when the Wait is over."""
        del ready, context
        return Done(None)
