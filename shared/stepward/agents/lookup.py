"""Look up agents: by id, version or label, and in lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from stepward.agents.requests import parse
from stepward.agents.show_runs import page_size
from stepward.domain.agent_records import AgentFilter, AgentRecord, RegisteredAgent
from stepward.domain.errors import Conflict, InvalidRequest, NotFound
from stepward.domain.ids import AGENT_ID_PATTERN, AGENT_UID_PATTERN, LABEL_PATTERN, VERSION_PATTERN, check_id
from stepward.domain.lifecycle import VIEWS, AgentState
from stepward.ports.registry import AgentRef, FoundAgent, Registry


def agent_id_of(registry: Registry, tenant: str, said: str) -> str:
    """Return an agent's id; a uid, as in AGENT-20261121-…, is looked up first."""
    if not re.fullmatch(AGENT_UID_PATTERN, said):
        return check_id("agent_id", said, AGENT_ID_PATTERN)
    found = registry.id_of(tenant, said)
    if found is None:
        raise no_agent(said)
    return found


def find_agent(registry: Registry, tenant: str, said: str, version: str | None) -> RegisteredAgent:
    """Read an agent's version in any state, the latest by default; refuse an unknown one."""
    agent_id = agent_id_of(registry, tenant, said)
    check_version(version)
    found = registry.agent(tenant, agent_id, version)
    if found is None:
        raise no_agent(agent_id, version)
    return found


def startable_agent(registry: Registry, tenant: str, said: str, version: str | None) -> RegisteredAgent:
    """Read the version that a run is started with; an agent that is not READY is a `Conflict`."""
    agent_id = agent_id_of(registry, tenant, said)
    check_version(version)
    seen = registry.read_agents(tenant, [AgentRef(agent_id, version)])[0]
    if seen.record is not None and seen.record.state is not AgentState.READY:
        raise not_ready(seen.record)
    return version_of(seen, agent_id, version)


def find_record(registry: Registry, tenant: str, said: str) -> AgentRecord:
    """Read the agent itself."""
    return read_agent(registry, tenant, said, None)[0]


def read_agent(
    registry: Registry, tenant: str, said: str, version: str | None
) -> tuple[AgentRecord, FoundAgent]:
    """Read an agent and one of its versions in one call."""
    agent_id = agent_id_of(registry, tenant, said)
    check_version(version)
    seen = registry.read_agents(tenant, [AgentRef(agent_id, version)])[0]
    if seen.record is None:
        raise no_agent(agent_id)
    return seen.record, seen


def version_of(seen: FoundAgent, agent_id: str, version: str | None) -> RegisteredAgent:
    """Return the version that was looked for, which must exist."""
    if seen.record is None or seen.version is None:
        raise no_agent(agent_id, version if seen.record else None)
    return seen.version


def check_version(version: str | None) -> None:
    """Refuse what is neither a version nor a label."""
    if version is not None and not re.fullmatch(f"{VERSION_PATTERN}|{LABEL_PATTERN}", version):
        raise InvalidRequest(
            f"{version[:80]!r} is neither a version nor a label.",
            field="version",
            fix="use three numbers, as in 1.0.0, or a label, as in prod or latest",
        )


def no_agent(agent_id: str, version: str | None = None) -> NotFound:
    """Return the error for an agent, or a version of it, that does not exist."""
    if version is not None:
        return NotFound(
            f"agent {agent_id!r} has no version {version}.",
            field="version",
            fix=f"GET /agents/{agent_id}/labels lists the labels, `latest` among them",
        )
    return NotFound(
        f"there is no agent {agent_id!r}.", field="agent_id", fix="GET /agents lists those that exist"
    )


def not_ready(record: AgentRecord) -> Conflict:
    """Return the error for a start of an agent that is not READY, with the reason if known."""
    name, state = record.summary.id, record.state
    why = f": {record.refusal.detail}" if record.refusal else "."
    if state is AgentState.TERMINATED:
        return Conflict(
            f"agent {name!r} is TERMINATED.", field="agent_id", fix="register its definition under another id"
        )
    return Conflict(
        f"agent {name!r} is {state}, not READY{why}",
        field="agent_id",
        fix="register a version that passes its checks, then start it",
    )


_PAGING: Final = frozenset({"limit", "cursor"})


@dataclass(frozen=True)
class ListAgents:
    """The use case behind `GET /agents`."""

    registry: Registry

    def __call__(self, tenant: str, query: dict[str, str]) -> dict[str, Any]:
        """List agents by id; a filtered page may be short or empty and still not be the last."""
        words = {name: word for name, word in query.items() if name not in _PAGING}
        wanted = parse(AgentFilter, words)
        if wanted.state in VIEWS:
            raise InvalidRequest(
                f"{wanted.state} is what an agent's newest run makes of it; it cannot be listed by.",
                field="state",
                fix="list by READY, and read `view` of one agent",
            )
        limit = page_size(query.get("limit"))
        page = self.registry.list_agents(tenant, limit=limit, cursor=query.get("cursor"), wanted=wanted)
        shown = [agent.model_dump(mode="json") for agent in page.agents]
        return {"agents": shown, "next_cursor": page.cursor}
