"""Gives a task to an agent: a run of its own, which waits in line and is billed like any other."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from stepward.domain.ids import AgentId, VersionOrLabel
from stepward.domain.money import usd_to_micros
from stepward.domain.numbers import Exact
from stepward.tasks.base import ChildRun, Place, Ready, TaskContext, TaskSettings, TaskType


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
    place = Place.AWAITED
    settings = AgentSettings
    typical_ms = 10_000

    def most_seconds(self, settings: AgentSettings) -> int | None:
        """An agent's own limits end it; a day is more than it and its time in line should take."""
        del settings
        return 86_400

    def open(self, ready: Ready[AgentSettings], context: TaskContext) -> None:
        """Start the run; `input` alone is the input itself."""
        settings = ready.settings
        limit = None if settings.cost_limit_usd is None else usd_to_micros(settings.cost_limit_usd)
        given = given_of(ready.inputs)
        context.reach.start_agent(context.place, ChildRun(settings.agent, settings.version, given, limit))


def given_of(inputs: dict[str, Any]) -> Any:
    """Give a run its input: what is called `input` if nothing else is said, else all of it."""
    return inputs["input"] if inputs.keys() == {"input"} else inputs
