"""Lists agents and shows one."""

from __future__ import annotations

from typing import Any

from functions.agents_api.ports import lifecycle
from stepward.agents.lookup import ListAgents
from stepward.runtime import wiring
from stepward.runtime.http import answer, caller, query_of, routes

router = routes()


@router.get("/agents")
def list_agents() -> Any:
    """List the tenant's agents by id, each by its newest version; words and a state narrow the list."""
    tenant, query = caller(router.current_event).tenant, query_of(router.current_event)
    return answer(200, ListAgents(wiring.registry())(tenant, query))


@router.get("/agents/<agent_id>")
def show_agent(agent_id: str) -> Any:
    """Show an agent with one version's definition, the newest by default."""
    tenant, query = caller(router.current_event).tenant, query_of(router.current_event)
    return answer(200, lifecycle().show(tenant, agent_id, query.get("version")))
