"""What a task type is: which settings it takes, which of them may hold expressions, where it runs, what it does."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from stepward.domain.errors import Bug
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskPlace
from stepward.domain.tools import Effect
from stepward.domain.workflows import TaskDefinition
from stepward.tools.base import ToolContext


class Place(StrEnum):
    """Where tasks of a type are carried out."""

    WITHIN = "within"
    """In the task's own state: `task_run` does the work and keeps the outcome."""
    AWAITED = "awaited"
    """Somewhere else: the state waits for a token that comes with the outcome."""
    BODY = "body"
    """The type has tasks within, which run once an item or round."""
    GROUP = "group"
    """The type only holds tasks together: it is gone when the machine is made."""


class TaskSettings(BaseModel):
    """What a type reads of a task beside the common fields; unknown fields are refused at registration."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a task, and how to mend it; `field` is within the task."""

    field: str
    detail: str
    fix: str


@dataclass(frozen=True)
class ChildRun:
    """A run that a task starts, of an agent or a workflow, and what it is given."""

    of: str
    version: str | None
    given: Any
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


S = TypeVar("S", bound=TaskSettings)


@dataclass(frozen=True)
class Ready(Generic[S]):
    """A task whose expressions have values."""

    task: TaskDefinition
    settings: S
    inputs: dict[str, Any]


class TaskType(ABC, Generic[S]):
    """A type of tasks; holds no state. A subclass implements `run` or `open`, by its place."""

    name: ClassVar[str]
    purpose: ClassVar[str]
    place: ClassVar[Place]
    settings: type[S]
    expressions: ClassVar[tuple[str, ...]] = ()
    """The settings that may hold `{% … %}`, anywhere within their values; inputs always may."""
    later: ClassVar[tuple[str, ...]] = ()
    """Those of them that are evaluated by the type's own states, not before the task runs."""
    needs_timeout: ClassVar[bool] = False
    """Whether somebody outside has to act, so that a task without a time could wait for ever."""
    typical_ms: ClassVar[int] = 100
    """How long one is expected to take, for plans; what a task itself says goes before it."""
    leaves: ClassVar[bool] = False
    """Whether inputs leave the platform: what the proof about personal data calls outside."""

    def place_of(self, settings: S) -> Place:
        """The place under these settings; most types have one."""
        del settings
        return self.place

    def effect(self, settings: S) -> Effect:
        """What a second execution would do in the world."""
        del settings
        return Effect.NONE

    def is_outside(self, settings: S) -> bool:
        """Whether this one sends its inputs out of the platform."""
        del settings
        return self.leaves

    def faults(self, task: TaskDefinition, settings: S) -> Iterator[Fault]:
        """Find what the settings' own model cannot: the default has nothing to find."""
        del task, settings
        return iter(())

    def output_schema(self, settings: S) -> Mapping[str, Any] | None:
        """The JSON Schema of what it brings, where that is known before it runs."""
        del settings
        return None

    def most_seconds(self, settings: S) -> int | None:
        """How long one attempt may take where the task does not say; None: the room's own time."""
        del settings
        return None

    def run(self, ready: Ready[S], context: TaskContext) -> Done:
        """Do the work of one attempt; raises a `StepwardError` that says whether another may do better."""
        del ready, context
        raise Bug(f"tasks of type {self.name} do not run by themselves")

    def open(self, ready: Ready[S], context: TaskContext) -> None:
        """Set going what will answer; an answer may come before this returns."""
        del ready, context
        raise Bug(f"tasks of type {self.name} wait for nobody")

    def accept(self, settings: S, answer: Any) -> None:
        """Look at an answer from outside before it is kept; raises what makes it a failure."""
        del settings, answer
