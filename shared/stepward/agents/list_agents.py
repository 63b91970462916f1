"""Lists agents by what they are for: one query of the registry a page, whatever is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from stepward.agents.requests import parse
from stepward.agents.show import page_size
from stepward.domain.errors import InvalidRequest
from stepward.domain.lifecycle import VIEWS
from stepward.ports.registry import AgentFilter, Registry

_PAGING: Final = frozenset({"limit", "cursor"})


@dataclass(frozen=True)
class ListAgents:
    """The use case behind `GET /agents`."""

    registry: Registry

    def __call__(self, tenant: str, query: dict[str, str]) -> dict[str, Any]:
        """List agents by id; a page that was narrowed may be short or empty and still not the last."""
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
