"""Agents and their versions: an agent has a state and a uid; its versions never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stepward.domain.agent_records import AgentFilter, AgentPage, AgentRecord, Label, RegisteredAgent
from stepward.domain.agents import AgentDefinition


@dataclass(frozen=True)
class FoundAgent:
    """The result of a lookup: the agent, and the requested version."""

    record: AgentRecord | None
    version: RegisteredAgent | None


@dataclass(frozen=True)
class AgentRef:
    """An agent to look up; `version` may be a label, None means the newest."""

    agent: str
    version: str | None = None


class Registry(Protocol):
    """The registry table; a change over a stale read raises `StoreConflict`."""

    def agent(self, tenant: str, agent: str, version: str | None = None) -> RegisteredAgent | None:
        """Read one version, in one read.

        Args:
            tenant: Whose agent.
            agent: The agent's id.
            version: Its number or a label; None for the latest.

        Returns:
            The version; None where there is none.
        """

    def read_agents(self, tenant: str, wanted: Sequence[AgentRef]) -> list[FoundAgent]:
        """Read agents with one version each, in one call for up to 50.

        Args:
            tenant: Whose agents.
            wanted: Which agents, and which version of each.

        Returns:
            What was found of each, in the same order.
        """

    def id_of(self, tenant: str, uid: str) -> str | None:
        """Find an agent's id by its uid.

        Args:
            tenant: Whose agent.
            uid: The uid, such as `AGENT-20261121-…`.

        Returns:
            The id; None where there is none.
        """

    def next_number(self, tenant: str, day: str) -> int:
        """Count up the agents that were created on a day.

        Args:
            tenant: Whose agents.
            day: The UTC day, as 20261121.

        Returns:
            The next number, from 1.
        """

    def create(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Store a new agent.

        Args:
            tenant: Whose agent.
            record: The agent.

        Returns:
            The agent as stored: another writer's, if that was first.
        """

    def change(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Write an agent over the revision that was read.

        Args:
            tenant: Whose agent.
            record: The agent, with the `rev` that was read.

        Returns:
            The agent with the next `rev`.

        Raises:
            StoreConflict: The agent has another `rev`.
        """

    def refuse(self, tenant: str, record: AgentRecord, offered: AgentDefinition) -> AgentRecord:
        """Write an agent with its refusal and the refused definition.

        The definition can be checked again later.

        Args:
            tenant: Whose agent.
            record: The agent, with the `rev` that was read.
            offered: The refused definition.

        Returns:
            The agent with the next `rev`.

        Raises:
            StoreConflict: The agent has another `rev`.
        """

    def offered(self, tenant: str, agent: str) -> AgentDefinition | None:
        """Read the definition that was refused last.

        Args:
            tenant: Whose agent.
            agent: The agent's id.

        Returns:
            The definition; None where there is none.
        """

    def keep(self, tenant: str, record: AgentRecord, agent: RegisteredAgent) -> RegisteredAgent:
        """Store a version, and the agent as READY with it if it is the newest.

        Args:
            tenant: Whose agent.
            record: The agent, with the `rev` that was read.
            agent: The version.

        Returns:
            The version as stored; the same content again is the same registration.

        Raises:
            Conflict: The version exists with other content.
            StoreConflict: The agent has another `rev`.
        """

    def terminate(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Remove an agent from every list but that of the terminated ones.

        Args:
            tenant: Whose agent.
            record: The agent, with the `rev` that was read.

        Returns:
            The agent with the next `rev`.

        Raises:
            StoreConflict: The agent has another `rev`.
        """

    def list_agents(
        self, tenant: str, *, limit: int, cursor: str | None, wanted: AgentFilter | None = None
    ) -> AgentPage:
        """List agents by id.

        Args:
            tenant: Whose agents.
            limit: How many at most.
            cursor: The `cursor` of the page before; None for the first page.
            wanted: The filter; None for all that are READY.

        Returns:
            The page; a filtered one may be short, and only the last one has no cursor.
        """

    def labels(self, tenant: str, agent: str) -> list[Label]:
        """List an agent's labels.

        Args:
            tenant: Whose agent.
            agent: The agent's id.

        Returns:
            The labels by name.
        """

    def set_label(self, tenant: str, label: Label, agent: RegisteredAgent) -> None:
        """Point a label to a version.

        Args:
            tenant: Whose agent.
            label: The label.
            agent: The version.
        """

    def remove_label(self, tenant: str, agent: str, label: str) -> bool:
        """Remove a label.

        Args:
            tenant: Whose agent.
            agent: The agent's id.
            label: The label's name.

        Returns:
            False if there was none.
        """
