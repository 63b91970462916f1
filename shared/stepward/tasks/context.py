"""The context and the result of a task's execution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskPlace
from stepward.tools.base import ToolContext


@dataclass(frozen=True)
class ChildRun:
    """A run that a task starts, of an agent or a workflow, with its input."""

    of: str
    version: str | None
    given: Any = None
    cost_limit_usd_micros: int | None = None


@dataclass(frozen=True)
class Question:
    """A question that a task asks a person."""

    settings: dict[str, Any]
    question: str
    details: str | None = None


class Starter(Protocol):
    """What an awaited task may start; each start is idempotent per task and attempt."""

    def start_agent(self, place: TaskPlace, child: ChildRun) -> None:
        """Start an agent's run that answers the task."""

    def start_workflow(self, place: TaskPlace, child: ChildRun) -> None:
        """Start a workflow's run that answers the task."""

    def ask_person(self, place: TaskPlace, question: Question) -> None:
        """Open an approval whose decision answers the task."""

    def wait_for_call(self, place: TaskPlace) -> str:
        """Return the address at which a callback answers the task."""


@dataclass(frozen=True)
class TaskContext:
    """What a task may use while it runs."""

    key: RunKey
    task: TaskKey
    place: TaskPlace
    tools: Callable[[str, str], ToolContext]
    put_event: Callable[[str, str, dict[str, Any]], None]
    starter: Starter

    @property
    def call_id(self) -> str:
        """The task's idempotency key for external calls: the same in all its attempts."""
        return f"{self.key.run}:{self.task}"


@dataclass(frozen=True)
class Done:
    """The result of a task."""

    output: Any
    cost_usd_micros: int = 0
