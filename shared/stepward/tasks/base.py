"""What a task type is: one class that says all that is special about it."""

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
"""Of an output that is a word or a number."""


class TaskSettings(BaseModel):
    """What a type reads of a task beside the common fields; unknown fields are refused at registration."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


@dataclass(frozen=True)
class SettingFault:
    """What is wrong with a task, and how to mend it; `field` is within the task."""

    field: str
    detail: str
    fix: str


S = TypeVar("S", bound=TaskSettings)


@dataclass(frozen=True)
class Ready(Generic[S]):
    """A task whose expressions have values."""

    task: TaskDefinition
    settings: S
    inputs: dict[str, Any]


class TaskType(ABC, Generic[S]):
    """A type of tasks; holds no state. A subclass implements `run` if one of its steps is `CALL`, `open` if one is `AWAIT`."""

    name: ClassVar[str]
    purpose: ClassVar[str]
    example: ClassVar[Mapping[str, Any]]
    """A task of the type as a document has it, without id and type."""
    settings: type[S]
    steps: ClassVar[tuple[Step, ...]]
    """The states of a task in order, by what they do; none for a type that only holds tasks together."""
    picture: ClassVar[Picture]

    # How documents say it.

    expressions: ClassVar[tuple[str, ...]] = ()
    """The settings that may hold `{% … %}`, anywhere within their values; inputs always may."""
    later: ClassVar[tuple[str, ...]] = ()
    """Those of them that are evaluated by the type's own states, not before the task runs."""
    questions: ClassVar[tuple[str, ...]] = ()
    """Those of them that can be nothing but an expression, so that its brackets may be left out."""
    variables: ClassVar[frozenset[str]] = frozenset()
    """What the expressions of the tasks within may say beside what all may."""
    markers: ClassVar[tuple[str, ...]] = ()
    """The settings that only this type has: they tell the type of a task that does not say it."""
    shared_markers: ClassVar[tuple[str, ...]] = ()
    """What tells it where no marker is there: common fields, or settings of several types."""
    aliases: ClassVar[Mapping[str, str]] = {}
    """Other names of fields that mean something else in tasks of other types."""

    # What plans and proofs count on.

    bound: ClassVar[str | None] = None
    """The setting that bounds how often the tasks within run."""
    needs_timeout: ClassVar[bool] = False
    """Whether somebody outside has to act, so that a task without a time could wait for ever."""
    typical_ms: ClassVar[int] = 100
    """How long one is expected to take, for plans; what a task itself says goes before it."""
    calls_out: ClassVar[bool] = False
    """Whether its own function takes the typical time, because it calls somebody and waits for the answer."""
    leaves: ClassVar[bool] = False
    """Whether inputs leave the platform: what the proof about personal data calls outside."""
    takes_arguments: ClassVar[bool] = False
    """Whether its inputs are its tool's arguments, as they are."""
    starts: ClassVar[Starts | None] = None
    """Of what it starts a run that answers it."""
    answered: ClassVar[Answered | None] = None
    """Who answers it from outside, where somebody does."""
    puts_events: ClassVar[int] = 0
    """How many events it puts on the bus each time that it runs."""

    @property
    def is_group(self) -> bool:
        """Whether it only holds tasks together: it is gone when the machine is made."""
        return not self.steps

    @property
    def repeats(self) -> bool:
        """Whether its tasks run once an item or round."""
        return Step.ITEMS in self.steps or self.takes_turns

    @property
    def takes_turns(self) -> bool:
        """Whether its rounds come one after another, so that one may build on the last."""
        return Step.ROUNDS in self.steps

    @property
    def holds_tasks(self) -> bool:
        """Whether there are tasks within."""
        return self.is_group or self.repeats

    @property
    def begins(self) -> bool:
        """Whether further states follow the one that begins it."""
        return Step.BEGIN in self.steps

    @property
    def keeps_later(self) -> bool:
        """Whether its outcome is kept by a state of its own at the end."""
        return Step.KEEP in self.steps

    def steps_of(self, settings: S) -> tuple[Step, ...]:
        """Return the states under these settings; most types always have the same."""
        del settings
        return self.steps

    def is_awaited(self, settings: S) -> bool:
        """Return whether somebody else answers the task."""
        return Step.AWAIT in self.steps_of(settings)

    def effect(self, settings: S) -> Effect:
        """Return what a second execution would do in the world."""
        del settings
        return Effect.NONE

    def is_outside(self, settings: S) -> bool:
        """Return whether this one sends its inputs out of the platform."""
        del settings
        return self.leaves

    def needs_yes(self, settings: S) -> bool:
        """Return whether it completes only if a person says yes."""
        del settings
        return False

    def has_address(self, settings: S) -> bool:
        """Return whether a call from outside answers it, at an address of its own."""
        del settings
        return False

    def faults(self, task: TaskDefinition, settings: S) -> Iterator[SettingFault]:
        """Find what the settings' own model cannot: the default has nothing to find."""
        del task, settings
        return iter(())

    def branches(self, settings: S) -> Iterator[Branch]:
        """Return the tasks that hang on its answer."""
        del settings
        return iter(())

    def reaches(self, settings: S) -> Iterator[tuple[str, str]]:
        """Whom it may reach, as kind and name: agents, tools, hosts, workflows, events, people."""
        del settings
        return iter(())

    def child(self, settings: S) -> ChildRun | None:
        """Return the run that it starts, without what that is given."""
        del settings
        return None

    def tool(self, settings: S) -> BoundTool | None:
        """Return the tool that it calls; raises what is wrong with its configuration."""
        del settings
        return None

    def custom_tool(self, task: TaskDefinition) -> str | None:
        """Return the function of somebody's own that it calls, as `folder.function`."""
        del task
        return None

    def output_schema(self, settings: S) -> Mapping[str, Any] | None:
        """Return the JSON Schema of what it brings, where that is known before it runs."""
        del settings
        return None

    def output_bytes(self, task: TaskDefinition) -> int | None:
        """Return how large its output is at most; None if nobody knows before it runs."""
        del task
        return None

    def rounds(self, settings: S) -> Bound:
        """Return how often the tasks within run each time that it does."""
        del settings
        return ONE

    def at_once(self, settings: S) -> int:
        """Return how many of its rounds run side by side at most."""
        del settings
        return 1

    def fixed_s(self, task: TaskDefinition) -> int | None:
        """Return how long it takes, in seconds, where the document says it."""
        del task
        return None

    def most_seconds(self, settings: S) -> int | None:
        """Return how long one attempt may take where the task does not say; None: the function's own time."""
        del settings
        return None

    def caption(self, task: TaskDefinition, settings: S) -> str:
        """Return what it does in a few words, for pictures."""
        del task, settings
        return self.name

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
