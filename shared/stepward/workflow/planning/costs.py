"""What one run of an agent or of another workflow costs: asked of whoever knows, since a document cannot say it."""

from __future__ import annotations

from typing import Protocol

from stepward.workflow.planning.bounds import Money

UNKNOWN = Money(least_usd_micros=0, expected_usd_micros=None, most_usd_micros=None)


class Costs(Protocol):
    """Knows what runs cost, with all that AWS charges for them."""

    def of_agent(self, agent: str, version: str | None, limit_usd_micros: int | None) -> Money:
        """One run of an agent that may spend so much on its model; `UNKNOWN` if there is none of that name."""

    def of_workflow(self, workflow: str, version: str | None) -> Money:
        """One run of a workflow; `UNKNOWN` if there is none of that name."""


class NobodyKnows:
    """Knows of no agent and no workflow, for plans that are made without a registry."""

    def of_agent(self, agent: str, version: str | None, limit_usd_micros: int | None) -> Money:
        """Nobody can say, but for what it may not go over."""
        del agent, version
        return UNKNOWN.model_copy(update={"most_usd_micros": limit_usd_micros})

    def of_workflow(self, workflow: str, version: str | None) -> Money:
        """Nobody can say."""
        del workflow, version
        return UNKNOWN
