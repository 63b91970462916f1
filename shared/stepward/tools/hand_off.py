"""Hands the run over to another agent, which goes on with the same conversation."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from stepward.domain.ids import AgentId, VersionOrLabel
from stepward.domain.tools import Effect, Placement
from stepward.tools.base import Arguments, Settings, Tool, ToolContext


class AgentSettings(Settings):
    """Which agent; a label, or no version, means what it does at the time of the call."""

    agent: AgentId
    version: VersionOrLabel | None = None


class Reason(Arguments):
    """What the other agent should know first."""

    reason: str = Field(default="", max_length=4_000, description="Why, and what is to be done next.")


class HandOff(Tool[AgentSettings, Reason]):
    """Makes another agent answer from the next turn on."""

    name = "hand_off"
    description = "Hands the conversation over to another agent for good."
    effect = Effect.NONE
    placement = Placement.INLINE
    settings = AgentSettings
    arguments = Reason

    def described_with(self, settings: AgentSettings) -> str:
        """Describe the tool with the agent's name."""
        return f"Hands the conversation over to the agent {settings.agent} for good; it answers from then on."

    def run(self, arguments: Reason, settings: AgentSettings, context: ToolContext) -> Any:
        """Return `{"handed_over_to", "reason"}`; the run then goes on with the other agent."""
        del context
        return {"handed_over_to": settings.agent, "reason": arguments.reason}
