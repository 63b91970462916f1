"""The task type `agent`: starts an agent's run and waits for its answer."""

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
    """The agent and its version; by default the newest when the task starts."""

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
        """Return a day, more than an agent's own limits and its time in the queue."""
        del settings
        return 86_400

    def child(self, settings: AgentSettings) -> ChildRun | None:
        """Return the agent's run with its cost limit."""
        limit = None if settings.cost_limit_usd is None else usd_to_micros(settings.cost_limit_usd)
        return ChildRun(settings.agent, settings.version, cost_limit_usd_micros=limit)

    def reaches(self, settings: AgentSettings) -> Iterator[tuple[str, str]]:
        """Yield the agent."""
        yield "agents", versioned(settings.agent, settings.version)

    def caption(self, task: TaskDefinition, settings: AgentSettings) -> str:
        """Return the agent's name."""
        del task
        return f"agent {settings.agent}"

    def open(self, ready: Ready[AgentSettings], context: TaskContext) -> None:
        """Start the run."""
        child = self.child(ready.settings)
        assert child is not None
        context.starter.start_agent(context.place, replace(child, given=given_of(ready.inputs)))


def given_of(inputs: dict[str, Any]) -> Any:
    """Return the input of a run: the value of `input` if that is all, else all inputs."""
    return inputs["input"] if inputs.keys() == {"input"} else inputs


def versioned(name: str, version: str | None) -> str:
    """Return the name of an agent or workflow with its version, since versions differ."""
    return name + (f"@{version}" if version else "")
