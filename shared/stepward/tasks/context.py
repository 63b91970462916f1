"""What a task is given when it runs, and what it brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskPlace
from stepward.tools.base import ToolContext


@dataclass(frozen=True)
class ChildRun:
    """A run that a task starts, of an agent or a workflow, and what it is given."""

    of: str
    version: str | None
    given: Any = None
    cost_limit_usd_micros: int | None = None


@dataclass(frozen=True)
class Question:
    """What a task asks a person."""

    settings: dict[str, Any]
    question: str
    details: str | None = None


class Reach(Protocol):
    """What an awaited task may set going. The same task and attempt set each thing going once, however often asked."""

    def start_agent(self, place: TaskPlace, child: ChildRun) -> None:
        """Start an agent's run that answers the task."""

    def start_workflow(self, place: TaskPlace, child: ChildRun) -> None:
        """Start a workflow's run that answers the task."""

    def ask_person(self, place: TaskPlace, question: Question) -> None:
        """Open an approval whose decision answers the task."""

    def wait_for_call(self, place: TaskPlace) -> str:
        """Say at which address a call from outside answers the task."""


@dataclass(frozen=True)
class TaskContext:
    """What a task may reach while it runs."""

    key: RunKey
    task: TaskKey
    place: TaskPlace
    tools: Callable[[str, str], ToolContext]
    put_event: Callable[[str, str, dict[str, Any]], None]
    reach: Reach

    @property
    def call_id(self) -> str:
        """The task's idempotency key towards the world: the same in all its attempts."""
        return f"{self.key.run}:{self.task}"


@dataclass(frozen=True)
class Done:
    """What a task brought."""

    output: Any
    cost_usd_micros: int = 0
