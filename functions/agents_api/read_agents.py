"""Lists agents and shows one."""

from __future__ import annotations

from typing import Any

from stepward.agents.register import find_agent
from stepward.agents.show import page_size
from stepward.ports.registry import summary
from stepward.runtime import wiring
from stepward.runtime.http import answer, caller, query_of, routes

router = routes()


@router.get("/agents")
def list_agents() -> Any:
    """List the tenant's agents by id, each by its latest version."""
    tenant, query = caller(router.current_event).tenant, query_of(router.current_event)
    page = wiring.registry().list_agents(
        tenant, limit=page_size(query.get("limit")), cursor=query.get("cursor")
    )
    return answer(200, {"agents": [one.model_dump() for one in page.agents], "next_cursor": page.cursor})


@router.get("/agents/<agent_id>")
def show_agent(agent_id: str) -> Any:
    """Show one version with its definition, the latest by default."""
    tenant, query = caller(router.current_event).tenant, query_of(router.current_event)
    found = find_agent(wiring.registry(), tenant, agent_id, query.get("version"))
    definition = found.definition.model_dump(mode="json", exclude_defaults=True)
    return answer(200, {**summary(found).model_dump(), "agent": definition})
