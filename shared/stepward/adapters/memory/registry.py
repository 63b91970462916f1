"""Agents in dictionaries, with the same conditions as the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from threading import RLock

from stepward.domain.agent_records import (
    LATEST,
    AgentFilter,
    AgentPage,
    AgentRecord,
    Label,
    RegisteredAgent,
    changed_version,
    is_newer,
    summary,
)
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import StoreConflict
from stepward.domain.lifecycle import AgentState
from stepward.ports.registry import AgentRef, FoundAgent

Name = tuple[str, str]


class MemoryRegistry:
    """Keeps every agent and every version of it."""

    def __init__(self) -> None:
        self._records: dict[Name, AgentRecord] = {}
        self._versions: dict[tuple[str, str, str], RegisteredAgent] = {}
        self._labels: dict[tuple[str, str, str], Label] = {}
        self._offered: dict[Name, AgentDefinition] = {}
        self._created: Counter[Name] = Counter()
        self._lock = RLock()

    def agent(self, tenant: str, agent: str, version: str | None = None) -> RegisteredAgent | None:
        """Read one version by its number or a label."""
        named = version or LATEST
        label = self._labels.get((tenant, agent, named))
        return self._versions.get((tenant, agent, label.version if label else named))

    def read_agents(self, tenant: str, wanted: Sequence[AgentRef]) -> list[FoundAgent]:
        """Read agents with one version each."""
        return [
            FoundAgent(self._records.get((tenant, one.agent)), self.agent(tenant, one.agent, one.version))
            for one in wanted
        ]

    def id_of(self, tenant: str, uid: str) -> str | None:
        """Find an agent's id by its uid."""
        pairs = (
            (name, record.summary.uid) for (owner, name), record in self._records.items() if owner == tenant
        )
        return next((name for name, known in pairs if known == uid), None)

    def next_number(self, tenant: str, day: str) -> int:
        """Count the agents that were created on a day."""
        with self._lock:
            self._created[(tenant, day)] += 1
            return self._created[(tenant, day)]

    def create(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Create a new agent once."""
        with self._lock:
            return self._records.setdefault((tenant, record.summary.id), record)

    def change(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Write an agent over the revision that was read."""
        name = (tenant, record.summary.id)
        with self._lock:
            there = self._records.get(name)
            if there is None or there.rev != record.rev:
                raise StoreConflict(f"agent {record.summary.id} has changed since it was read")
            self._records[name] = record.model_copy(update={"rev": record.rev + 1})
            return self._records[name]

    def refuse(self, tenant: str, record: AgentRecord, offered: AgentDefinition) -> AgentRecord:
        """Write an agent with its refusal, and keep the refused definition."""
        with self._lock:
            written = self.change(tenant, record)
            self._offered[(tenant, offered.id)] = offered
            return written

    def offered(self, tenant: str, agent: str) -> AgentDefinition | None:
        """Read the definition that was last refused."""
        return self._offered.get((tenant, agent))

    def terminate(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Write an agent that is terminated."""
        return self.change(tenant, record)

    def keep(self, tenant: str, record: AgentRecord, agent: RegisteredAgent) -> RegisteredAgent:
        """Write a version once, and make it the agent's newest if it is."""
        definition = agent.definition
        with self._lock:
            kept = self._versions.get((tenant, definition.id, definition.version))
            if kept is not None:
                if kept.definition != definition:
                    raise changed_version(definition)
                return kept
            if is_newer(definition.version, record.summary.version):
                self._point_to(tenant, record, agent)
            self._versions[(tenant, definition.id, definition.version)] = agent
            return agent

    def _point_to(self, tenant: str, record: AgentRecord, agent: RegisteredAgent) -> None:
        definition = agent.definition
        shown = summary(agent, record).model_copy(update={"state": AgentState.READY})
        self.change(tenant, record.model_copy(update={"summary": shown, "refusal": None}))
        self.set_label(
            tenant, Label(label=LATEST, version=definition.version, set_at=agent.created_at), agent
        )
        self._offered.pop((tenant, definition.id), None)

    def list_agents(
        self, tenant: str, *, limit: int, cursor: str | None, wanted: AgentFilter | None = None
    ) -> AgentPage:
        """List agents by id; the cursor is the last id that was shown."""
        asked = wanted or AgentFilter()
        mine = {name: record.summary for (owner, name), record in self._records.items() if owner == tenant}
        agents = [mine[name] for name in sorted(mine) if name > (cursor or "") and asked.fits(mine[name])]
        return AgentPage(agents=agents[:limit], cursor=agents[limit - 1].id if len(agents) > limit else None)

    def labels(self, tenant: str, agent: str) -> list[Label]:
        """List an agent's labels by name."""
        names = sorted(key for key in self._labels if key[:2] == (tenant, agent))
        return [self._labels[name] for name in names]

    def set_label(self, tenant: str, label: Label, agent: RegisteredAgent) -> None:
        """Point a label to a version."""
        self._labels[(tenant, agent.definition.id, label.label)] = label

    def remove_label(self, tenant: str, agent: str, label: str) -> bool:
        """Remove a label."""
        return self._labels.pop((tenant, agent, label), None) is not None
