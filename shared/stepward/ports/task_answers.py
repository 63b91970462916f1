"""How answers from outside come to the tasks of workflows: from a child's end, a person's decision, a call."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import BaseModel

from stepward.domain.errors import Bug
from stepward.domain.runs import RunError
from stepward.domain.task_records import TaskPlace, TaskRecord


class TaskOutcome(BaseModel):
    """What somebody outside brought for a task."""

    output: Any = None
    error: RunError | None = None
    is_passing: bool = False
    """Whether another attempt may do better."""
    cost_usd_micros: int = 0
    aws_usd_micros: int = 0
    """What AWS charges for the run that answers, and for those within it."""
    child: str | None = None


class TaskAnswers(Protocol):
    """The tasks that wait for somebody outside."""

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        """Keep the outcome and wake the machine; the record that stays, or None where another attempt is made."""

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        """Tell whether the task still waits for this attempt's answer."""


class NoTasks:
    """Where no workflow runs: nobody is a task's child, so nobody asks."""

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        """Refuse: there is no such task."""
        raise Bug(f"nothing here carries the task {place.key} of {run} of {tenant}: {outcome.error}")

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        """Refuse: there is no such task."""
        raise Bug(f"nothing here carries the task {place.key} of {run} of {tenant}")
