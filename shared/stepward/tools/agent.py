"""Runs another agent: a run of its own, for which the calling run waits without a slot."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from stepward.domain.durations import A_YEAR_S
from stepward.domain.errors import Bug
from stepward.domain.tools import Effect, Placement
from stepward.tools.base import Arguments, Tool, ToolContext
from stepward.tools.hand_off import AgentSettings


class Task(Arguments):
    """What the other agent is to work on."""

    input: str | dict[str, Any] = Field(description="The task: a text, or an object if the agent wants one.")


class SubAgent(Tool[AgentSettings, Task]):
    """Starts a child run and answers with its end."""

    name = "agent"
    description = "Gives a task to another agent and answers with what it says."
    effect = Effect.ONCE
    placement = Placement.AWAITED
    timeout_s = A_YEAR_S
    settings = AgentSettings
    arguments = Task

    def described_with(self, settings: AgentSettings) -> str:
        """Describe the tool with the agent's name."""
        return f"Gives a task to the agent {settings.agent} and answers with what it says."

    def run(self, arguments: Task, settings: AgentSettings, context: ToolContext) -> Any:
        """Raise: `dispatch` starts the child run instead, and its end is the answer."""
        del arguments, context
        raise Bug(f"the agent {settings.agent} is started by dispatch, not run as a tool")
