"""Agents in a dictionary, with the same conditions as the table."""

from __future__ import annotations

from threading import RLock

from stepward.ports.registry import (
    AgentPage,
    AgentSummary,
    RegisteredAgent,
    changed_version,
    is_newer,
    summary,
)


class MemoryRegistry:
    """Keeps every version of every agent."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str, str], RegisteredAgent] = {}
        self._latest: dict[tuple[str, str], RegisteredAgent] = {}
        self._lock = RLock()

    def register(self, tenant: str, agent: RegisteredAgent) -> RegisteredAgent:
        """Keep a version once."""
        definition = agent.definition
        with self._lock:
            kept = self._versions.setdefault((tenant, definition.id, definition.version), agent)
            if kept.definition != definition:
                raise changed_version(definition)
            latest = self._latest.get((tenant, definition.id))
            if latest is None or is_newer(definition.version, latest.definition.version):
                self._latest[(tenant, definition.id)] = kept
            return kept

    def agent(self, tenant: str, agent: str, version: str | None = None) -> RegisteredAgent | None:
        """Read one version."""
        if version is None:
            return self._latest.get((tenant, agent))
        return self._versions.get((tenant, agent, version))

    def list_agents(self, tenant: str, *, limit: int, cursor: str | None) -> AgentPage:
        """List by id; the cursor is the last id that was shown."""
        ids = sorted(name for owner, name in self._latest if owner == tenant and name > (cursor or ""))
        shown: list[AgentSummary] = [summary(self._latest[(tenant, name)]) for name in ids[:limit]]
        return AgentPage(agents=shown, cursor=ids[limit - 1] if len(ids) > limit else None)
