"""Versions of agents: written once, never changed; `latest` is a label with a copy."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import Conflict


class RegisteredAgent(BaseModel):
    """A definition with the time of its registration."""

    definition: AgentDefinition
    created_at: str


class AgentSummary(BaseModel):
    """An agent's newest version as lists show it."""

    id: str
    name: str
    version: str
    model: str
    description: str
    created_at: str


class AgentPage(BaseModel):
    """One page of agents by id; `cursor` is None on the last one."""

    agents: list[AgentSummary]
    cursor: str | None = None


class Registry(Protocol):
    """The registry table."""

    def register(self, tenant: str, agent: RegisteredAgent) -> RegisteredAgent:
        """Keep a version and make it `latest` if it is the newest.

        The same version with the same content is the same registration; other content raises `Conflict`.
        """

    def agent(self, tenant: str, agent: str, version: str | None = None) -> RegisteredAgent | None:
        """Read one version, the latest by default, in one read."""

    def list_agents(self, tenant: str, *, limit: int, cursor: str | None) -> AgentPage:
        """List the tenant's agents by id."""


def summary(agent: RegisteredAgent) -> AgentSummary:
    """Show a version as lists do."""
    shown = agent.definition.model_dump(include={"id", "name", "version", "model", "description"})
    return AgentSummary(created_at=agent.created_at, **shown)


def changed_version(agent: AgentDefinition) -> Conflict:
    """The error for a version that exists with other content, the same from every registry."""
    return Conflict(
        f"version {agent.version} of {agent.id!r} exists with other content.",
        field="version",
        fix="versions never change: register this content under a higher version",
    )


def is_newer(version: str, than: str) -> bool:
    """Compare two versions by their three numbers."""
    return _numbers(version) > _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
