"""What a tool of the catalog is: a schema for models, a declared effect, and one method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from time import sleep
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from stepward.domain.data_paths import RULE, is_data_path
from stepward.domain.retries import LONGEST_CALL_S, Retry
from stepward.domain.tools import CallOptions, Effect, Placement
from stepward.ports.tool_services import Circuits, Datasets, Functions, ResultStore


def _within_datasets(path: str) -> str:
    if not is_data_path(path):
        raise ValueError(f"it must be {RULE}")
    return path


DataPath = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_within_datasets)]
"""A file's path within its tenant's data sets; it cannot climb out of them."""


class Settings(BaseModel):
    """A tool's configuration within one agent; unknown fields are refused at registration."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Arguments(BaseModel):
    """What the model gives; unknown fields are refused with an error that it can act on."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


@dataclass(frozen=True)
class ToolContext:
    """What a call of a tool may reach: its tenant's data and results, and allowed hosts.

    `call_id` is `run:call`, the call's idempotency key. `family` are the runs that this one shares a journal with.
    """

    tenant: str
    call_id: str
    datasets: Datasets
    http_allow: tuple[str, ...] = ()
    timeout_s: float = 10
    results: ResultStore | None = None
    circuits: Circuits | None = None
    functions: Functions | None = None
    family: tuple[str, ...] = ()
    pause: Callable[[float], None] = sleep

    @property
    def run(self) -> str:
        """The run that the call belongs to."""
        return self.call_id.partition(":")[0]


LONGEST_S: Final = {Placement.INLINE: 40.0, Placement.REMOTE: LONGEST_CALL_S}
"""The seconds that all attempts at one call may take: less than their function has."""

S = TypeVar("S", bound=Settings)
A = TypeVar("A", bound=Arguments)


class Tool(ABC, Generic[S, A]):
    """A tool.

    Subclasses set the class attributes and implement `run`; they hold no state between calls.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    effect: ClassVar[Effect]
    placement: ClassVar[Placement]
    timeout_s: ClassVar[float] = 10
    settings: type[S]
    arguments: type[A]

    def effect_with(self, settings: S) -> Effect:
        """Return the effect under these settings; most tools have the same under all."""
        del settings
        return self.effect

    def timeout_with(self, settings: S) -> float:
        """Return the seconds that one call may take under these settings."""
        del settings
        return self.timeout_s

    def retry_with(self, settings: S) -> Retry:
        """Return when a failed attempt is repeated by default: never.

        An agent's own `retry` replaces this.
        """
        del settings
        return Retry()

    def described_with(self, settings: S) -> str:
        """Return the description for models, unless the agent has its own."""
        del settings
        return self.description

    def schema_with(self, settings: S) -> dict[str, Any]:
        """Return the arguments' JSON Schema for models."""
        del settings
        return self.schema()

    def read_arguments(self, given: dict[str, Any], settings: S) -> A:
        """Validate the arguments; raises pydantic's `ValidationError`."""
        del settings
        return self.arguments.model_validate(given)

    def check_settings(self, settings: S, http_allow: Sequence[str]) -> None:
        """Refuse settings that can never work in this stage; by default none."""

    @abstractmethod
    def run(self, arguments: A, settings: S, context: ToolContext) -> Any:
        """Do the work and return JSON values; raise `ToolFailed` when it cannot be done."""

    def schema(self) -> dict[str, Any]:
        """Return the arguments' JSON Schema for models."""
        return dict(_shown_schema(self.arguments))


@cache
def _shown_schema(arguments: type[BaseModel]) -> dict[str, Any]:
    """Return a class's schema, made once.

    pydantic takes half a millisecond for one, and every model call needs that of each tool.
    """
    return {k: v for k, v in arguments.model_json_schema().items() if k not in {"title", "description"}}


@dataclass(frozen=True)
class BoundTool:
    """A tool with one agent's settings and options."""

    tool: Tool[Any, Any]
    settings: Any
    options: CallOptions = field(default_factory=CallOptions)

    @property
    def effect(self) -> Effect:
        """What a second execution of the same call would do."""
        return self.tool.effect_with(self.settings)

    @property
    def placement(self) -> Placement:
        """Where it runs."""
        return self.tool.placement

    @property
    def timeout_s(self) -> float:
        """The seconds that one attempt may take: the agent's setting, else the tool's."""
        return self.options.timeout_s or self.tool.timeout_with(self.settings)

    @property
    def concurrency(self) -> int | None:
        """How many calls of it may run at once in one turn; None for no limit."""
        return self.options.concurrency

    @property
    def retry(self) -> Retry:
        """When a failed attempt is repeated: the agent's setting, else the tool's.

        An effect that must happen once is never repeated.
        """
        if self.effect is Effect.ONCE:
            return Retry()
        return self.options.retry or self.tool.retry_with(self.settings)

    @property
    def cost_usd_micros(self) -> int:
        """What one attempt costs."""
        return self.options.cost_usd_micros

    @property
    def description(self) -> str:
        """The description for models."""
        return self.tool.described_with(self.settings)

    def schema(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        return self.tool.schema_with(self.settings)

    def read_arguments(self, given: dict[str, Any]) -> Any:
        """Validate the arguments."""
        return self.tool.read_arguments(given, self.settings)

    def run(self, arguments: Any, context: ToolContext) -> Any:
        """Do the work."""
        return self.tool.run(arguments, self.settings, context)
