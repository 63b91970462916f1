"""Registered agents: their records and versions, and how lists show them."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from stepward.domain.agents import AgentDefinition, Capability, Facet
from stepward.domain.errors import Conflict
from stepward.domain.lifecycle import AgentState

LATEST: Final = "latest"
"""The label that the registry itself moves: always the newest version."""


class RegisteredAgent(BaseModel):
    """A definition with the time of its registration."""

    model_config = ConfigDict(defer_build=True)

    definition: AgentDefinition
    created_at: str


class AgentSummary(BaseModel):
    """An agent as lists show it, by its newest version; before the first, by what was offered."""

    model_config = ConfigDict(defer_build=True)

    id: str
    uid: str | None = None
    state: AgentState = AgentState.READY
    name: str
    version: str | None = None
    model: str
    description: str
    capabilities: list[Capability] = []
    module: str | None = None
    category: str | None = None
    tags: list[str] = []
    priority: int = 5
    created_at: str


class Refusal(BaseModel):
    """Why a version was refused; shown until another one is accepted."""

    model_config = ConfigDict(defer_build=True)

    version: str
    to: AgentState
    detail: str
    field: str | None = None
    fix: str | None = None
    at: str


class AgentRecord(BaseModel):
    """The agent itself; `rev` counts its changes, each made over the one that was read."""

    model_config = ConfigDict(defer_build=True)

    summary: AgentSummary
    refusal: Refusal | None = None
    reset_at: str | None = None
    """Runs that were created before this no longer count for the agent's state."""
    rev: int = 1

    @property
    def state(self) -> AgentState:
        """The agent's stored state."""
        return self.summary.state


class AgentPage(BaseModel):
    """One page of agents by id; `cursor` is None on the last one."""

    model_config = ConfigDict(defer_build=True)

    agents: list[AgentSummary]
    cursor: str | None = None


class AgentFilter(BaseModel):
    """Which agents a list shows; None matches all, and no state means READY."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    state: AgentState = AgentState.READY
    capability: Capability | None = None
    module: Facet | None = None
    category: Facet | None = None
    tag: Facet | None = None

    def fits(self, agent: AgentSummary) -> bool:
        """Return True if an agent belongs in the list."""
        return (
            agent.state is self.state
            and self.capability in (None, *agent.capabilities)
            and self.module in (None, agent.module)
            and self.category in (None, agent.category)
            and self.tag in (None, *agent.tags)
        )


class Label(BaseModel):
    """A name for one version, which can be moved to another."""

    model_config = ConfigDict(defer_build=True)

    label: str
    version: str
    set_at: str


def summary(agent: RegisteredAgent, record: AgentRecord | None = None) -> AgentSummary:
    """Show a version as lists do."""
    shown = agent.definition.model_dump(include=_SHOWN)
    known = record.summary.model_dump(include={"uid", "state"}) if record else {}
    return AgentSummary(created_at=agent.created_at, **shown, **known)


def facets(agent: AgentSummary) -> set[tuple[str, str]]:
    """Return the kinds and words by which an agent is found."""
    found: list[tuple[str, Any]] = [("capability", one) for one in agent.capabilities]
    found += [("tag", tag) for tag in agent.tags]
    found += [("module", agent.module), ("category", agent.category)]
    return {(kind, str(word)) for kind, word in found if word is not None}


def changed_version(agent: AgentDefinition) -> Conflict:
    """Return the error for a version that exists with other content."""
    return Conflict(
        f"version {agent.version} of {agent.id!r} exists with other content.",
        field="version",
        fix="versions never change: register this content under a higher version",
    )


def is_newer(version: str, than: str | None) -> bool:
    """Compare two versions by their three numbers; any is newer than none."""
    return than is None or _numbers(version) > _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


_SHOWN: Final = {
    "id", "name", "version", "model", "description", "capabilities", "module", "category", "tags", "priority",
}  # fmt: skip
