"""Agents and their versions: an agent has a state and an id for life, its versions are written once and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

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
    """An agent as lists show it, by its newest version; none before one has passed."""

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
    """Why a version did not become one: shown until another does."""

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
    """Runs that were created before this no longer tell the agent's state."""
    rev: int = 1

    @property
    def state(self) -> AgentState:
        """Where it is in its life."""
        return self.summary.state


@dataclass(frozen=True)
class Seen:
    """What one look found: the agent, and the version that was asked for."""

    record: AgentRecord | None
    version: RegisteredAgent | None


@dataclass(frozen=True)
class Wanted:
    """An agent somebody names; `version` may be a label, None means the newest."""

    agent: str
    version: str | None = None


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
        """Whether an agent belongs in the list."""
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


class Registry(Protocol):
    """The registry table; a change over a stale read raises `StoreConflict`."""

    def agent(self, tenant: str, agent: str, version: str | None = None) -> RegisteredAgent | None:
        """Read one version by its number or a label, the latest by default, in one read."""

    def read_agents(self, tenant: str, wanted: Sequence[Wanted]) -> list[Seen]:
        """Read agents with one version each, all in one call where they are at most 50."""

    def id_of(self, tenant: str, uid: str) -> str | None:
        """Find an agent's id by its id for life."""

    def next_number(self, tenant: str, day: str) -> int:
        """Count the agents that were created on a day, as in 20261121."""

    def create(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Keep a new agent; where somebody was quicker, give what is there."""

    def change(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Write an agent over the revision that was read; the answer has the next one."""

    def refuse(self, tenant: str, record: AgentRecord, offered: AgentDefinition) -> AgentRecord:
        """Write an agent with its refusal and the refused definition, to check it again later."""

    def offered(self, tenant: str, agent: str) -> AgentDefinition | None:
        """Read what was last refused."""

    def keep(self, tenant: str, record: AgentRecord, agent: RegisteredAgent) -> RegisteredAgent:
        """Keep a version, and with it the agent READY under it where it is the newest.

        The same version with the same content is the same registration; other content raises `Conflict`.
        """

    def terminate(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Take an agent out of every list but that of the terminated."""

    def list_agents(
        self, tenant: str, *, limit: int, cursor: str | None, wanted: AgentFilter | None = None
    ) -> AgentPage:
        """List agents by id; a filtered page may be short, the last one has no cursor."""

    def labels(self, tenant: str, agent: str) -> list[Label]:
        """List an agent's labels by name."""

    def set_label(self, tenant: str, label: Label, agent: RegisteredAgent) -> None:
        """Point a label to a version."""

    def remove_label(self, tenant: str, agent: str, label: str) -> bool:
        """Take a label away; False when it was not there."""


def summary(agent: RegisteredAgent, record: AgentRecord | None = None) -> AgentSummary:
    """Show a version as lists do."""
    shown = agent.definition.model_dump(include=_SHOWN)
    known = record.summary.model_dump(include={"uid", "state"}) if record else {}
    return AgentSummary(created_at=agent.created_at, **shown, **known)


def facets(agent: AgentSummary) -> set[tuple[str, str]]:
    """The kinds and words by which an agent is found."""
    found: list[tuple[str, Any]] = [("capability", one) for one in agent.capabilities]
    found += [("tag", tag) for tag in agent.tags]
    found += [("module", agent.module), ("category", agent.category)]
    return {(kind, str(word)) for kind, word in found if word is not None}


def changed_version(agent: AgentDefinition) -> Conflict:
    """The error for a version that exists with other content, the same from every registry."""
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
