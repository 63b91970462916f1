"""The base class of task types: one class declares all that is special about a type."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from stepward.domain.bounds import ONE, Bound
from stepward.domain.errors import Bug
from stepward.domain.tools import Effect
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.context import ChildRun, Done, TaskContext
from stepward.tasks.facts import Answered, Branch, Picture, Starts, Step
from stepward.tools.base import BoundTool

FEW_BYTES: Final = 100
"""Bytes of an output that is a word or a number."""


class TaskSettings(BaseModel):
    """The settings of a type beside the common fields; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


@dataclass(frozen=True)
class SettingFault:
    """What is wrong with a task's settings, and how to fix it; `field` is within the task."""

    field: str
    detail: str
    fix: str


S = TypeVar("S", bound=TaskSettings)


@dataclass(frozen=True)
class Ready(Generic[S]):
    """A task whose expressions have been evaluated."""

    task: TaskDefinition
    settings: S
    inputs: dict[str, Any]


class TaskType(ABC, Generic[S]):
    """A type of tasks; it holds no state.

    A subclass implements `run` if one of its steps is `CALL`, and `open` if one is `AWAIT`.
    """

    name: ClassVar[str]
    purpose: ClassVar[str]
    example: ClassVar[Mapping[str, Any]]
    """A task of the type as a document has it, without id and type."""
    settings: type[S]
    steps: ClassVar[tuple[Step, ...]]
    """The states of a task in order, by what they do; empty for a group."""
    picture: ClassVar[Picture]

    # How documents say it.

    expressions: ClassVar[tuple[str, ...]] = ()
    """The settings that may hold `{% … %}`, anywhere within their values; inputs always may."""
    later: ClassVar[tuple[str, ...]] = ()
    """Those of them that the type's own states evaluate, not before the task runs."""
    questions: ClassVar[tuple[str, ...]] = ()
    """Those of them that are always an expression, so that its brackets may be left out."""
    variables: ClassVar[frozenset[str]] = frozenset()
    """The additional variables in the expressions of the tasks within."""
    markers: ClassVar[tuple[str, ...]] = ()
    """The settings that only this type has: they imply the type of a task that names none."""
    shared_markers: ClassVar[tuple[str, ...]] = ()
    """What implies the type without a marker: common fields, or settings of several types."""
    aliases: ClassVar[Mapping[str, str]] = {}
    """Aliases that have another meaning in tasks of other types."""

    # What plans and proofs count on.

    bound: ClassVar[str | None] = None
    """The setting that bounds how often the tasks within run."""
    needs_timeout: ClassVar[bool] = False
    """Whether its answer comes from outside, so that it needs a time limit."""
    typical_ms: ClassVar[int] = 100
    """The expected duration, for plans; a task's own duration takes precedence."""
    calls_out: ClassVar[bool] = False
    """Whether its function takes the typical time, because it waits for an external call."""
    leaves: ClassVar[bool] = False
    """Whether inputs leave the platform, for the proof about personal data."""
    takes_arguments: ClassVar[bool] = False
    """Whether its inputs are its tool's arguments, unchanged."""
    starts: ClassVar[Starts | None] = None
    """The kind of run that answers it, if it starts one."""
    answered: ClassVar[Answered | None] = None
    """How it is answered from outside, if it is."""
    puts_events: ClassVar[int] = 0
    """How many events it puts on the bus each time that it runs."""

    @property
    def is_group(self) -> bool:
        """Whether it only groups tasks: the machine has no states of it."""
        return not self.steps

    @property
    def repeats(self) -> bool:
        """Whether its tasks run once an item or iteration."""
        return Step.ITEMS in self.steps or self.is_sequential

    @property
    def is_sequential(self) -> bool:
        """Whether its iterations run one after another, each with the outputs of the last."""
        return Step.ROUNDS in self.steps

    @property
    def holds_tasks(self) -> bool:
        """Whether it has tasks within."""
        return self.is_group or self.repeats

    @property
    def begins(self) -> bool:
        """Whether further states follow the one that begins it."""
        return Step.BEGIN in self.steps

    @property
    def records_later(self) -> bool:
        """Whether a further state at the end records its outcome."""
        return Step.KEEP in self.steps

    def steps_of(self, settings: S) -> tuple[Step, ...]:
        """Return the steps under these settings; most types always have the same."""
        del settings
        return self.steps

    def is_awaited(self, settings: S) -> bool:
        """Return whether the task is answered from outside its function."""
        return Step.AWAIT in self.steps_of(settings)

    def effect(self, settings: S) -> Effect:
        """Return what a second execution would do to the world."""
        del settings
        return Effect.NONE

    def is_outside(self, settings: S) -> bool:
        """Return whether the task sends its inputs out of the platform."""
        del settings
        return self.leaves

    def requires_approval(self, settings: S) -> bool:
        """Return whether it completes only if a person approves."""
        del settings
        return False

    def has_address(self, settings: S) -> bool:
        """Return whether a callback answers it, at an address of its own."""
        del settings
        return False

    def faults(self, task: TaskDefinition, settings: S) -> Iterator[SettingFault]:
        """Return what is wrong beyond the settings' model; by default nothing."""
        del task, settings
        return iter(())

    def branches(self, settings: S) -> Iterator[Branch]:
        """Return the tasks that depend on its answer."""
        del settings
        return iter(())

    def reaches(self, settings: S) -> Iterator[tuple[str, str]]:
        """Return what it may reach, as kind and name: agents, tools, hosts, events, people."""
        del settings
        return iter(())

    def child(self, settings: S) -> ChildRun | None:
        """Return the run that it starts, without its input."""
        del settings
        return None

    def tool(self, settings: S) -> BoundTool | None:
        """Return the tool that it calls.

        Raises:
            InvalidRequest: The tool is unknown, or its configuration does not fit.
        """
        del settings
        return None

    def custom_tool(self, task: TaskDefinition) -> str | None:
        """Return the custom tool that it calls, as `folder.function`."""
        del task
        return None

    def output_schema(self, settings: S) -> Mapping[str, Any] | None:
        """Return the JSON Schema of its output, if that is known before it runs."""
        del settings
        return None

    def output_bytes(self, task: TaskDefinition) -> int | None:
        """Return the largest size of its output; None if that is unknown before it runs."""
        del task
        return None

    def rounds(self, settings: S) -> Bound:
        """Return how often the tasks within run each time that it does."""
        del settings
        return ONE

    def at_once(self, settings: S) -> int:
        """Return how many of its iterations run in parallel at most."""
        del settings
        return 1

    def fixed_s(self, task: TaskDefinition) -> int | None:
        """Return how long it takes, in seconds, if the document determines it."""
        del task
        return None

    def most_seconds(self, settings: S) -> int | None:
        """Return the time limit of one attempt by default; None for the function's own limit."""
        del settings
        return None

    def caption(self, task: TaskDefinition, settings: S) -> str:
        """Return what it does in a few words, for pictures."""
        del task, settings
        return self.name

    def run(self, ready: Ready[S], context: TaskContext) -> Done:
        """Do the work of one attempt.

        Raises:
            StepwardError: It failed; `retryable` says whether another attempt may succeed.
        """
        del ready, context
        raise Bug(f"tasks of type {self.name} do not run by themselves")

    def open(self, ready: Ready[S], context: TaskContext) -> None:
        """Start what will answer the task; an answer may come before this returns."""
        del ready, context
        raise Bug(f"tasks of type {self.name} are not awaited")

    def accept(self, settings: S, answer: Any) -> None:
        """Validate an answer from outside before it is recorded.

        Raises:
            StepwardError: The answer makes the task fail.
        """
        del settings, answer
