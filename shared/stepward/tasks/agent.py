"""Gives a task to an agent: a run of its own, which waits in line and is billed like any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import AliasChoices, Field

from stepward.domain.ids import AgentId, VersionOrLabel
from stepward.domain.money import usd_to_micros
from stepward.domain.numbers import Exact
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import Ready, TaskSettings, TaskType
from stepward.tasks.context import ChildRun, TaskContext
from stepward.tasks.facts import Picture, Starts, Step


class AgentSettings(TaskSettings):
    """Which agent; without a version the newest at the time of the call."""

    agent: AgentId = Field(
        validation_alias=AliasChoices("agent", "agent_id"),
        description="The id of the agent that runs; its input is `with`, or `with.input` where that is all of it.",
    )
    version: VersionOrLabel | None = Field(
        default=None, description="Its version or a label; without one the newest when the task starts."
    )
    cost_limit_usd: Exact | None = Field(
        default=None,
        gt=0,
        le=10_000,
        decimal_places=6,
        description="What this run of the agent may cost at most, in dollars.",
    )


class AgentTask(TaskType[AgentSettings]):
    """Runs an agent; the output is its answer."""

    name = "agent"
    purpose = "Runs an agent on the task's inputs and brings its answer."
    example: ClassVar[Mapping[str, Any]] = {
        "agent": "writer",
        "version": "1.0.0",
        "cost_limit_usd": 0.5,
        "with": {"input": "x"},
    }
    settings = AgentSettings
    steps = (Step.AWAIT,)
    picture = Picture("#7c5cff", "M12 3.5l2 6.5 6.5 2-6.5 2-2 6.5-2-6.5-6.5-2 6.5-2z", ("([", "])"))
    markers = ("agent",)
    typical_ms = 10_000
    starts = Starts.AGENT

    def most_seconds(self, settings: AgentSettings) -> int | None:
        """An agent's own limits end it; a day is more than it and its time in line should take."""
        del settings
        return 86_400

    def child(self, settings: AgentSettings) -> ChildRun | None:
        """Return the agent's run, with what it may cost."""
        limit = None if settings.cost_limit_usd is None else usd_to_micros(settings.cost_limit_usd)
        return ChildRun(settings.agent, settings.version, cost_limit_usd_micros=limit)

    def reaches(self, settings: AgentSettings) -> Iterator[tuple[str, str]]:
        """Yield the agent."""
        yield "agents", versioned(settings.agent, settings.version)

    def caption(self, task: TaskDefinition, settings: AgentSettings) -> str:
        """Which agent."""
        del task
        return f"agent {settings.agent}"

    def open(self, ready: Ready[AgentSettings], context: TaskContext) -> None:
        """Start the run; `input` alone is the input itself."""
        child = self.child(ready.settings)
        assert child is not None
        context.reach.start_agent(context.place, replace(child, given=given_of(ready.inputs)))


def given_of(inputs: dict[str, Any]) -> Any:
    """Return a run its input: what is called `input` if nothing else is said, else all of it."""
    return inputs["input"] if inputs.keys() == {"input"} else inputs


def versioned(name: str, version: str | None) -> str:
    """Name an agent or workflow with the version that is asked for: another version may do other things."""
    return name + (f"@{version}" if version else "")
