"""Moves an agent through its life, and ends it."""

from __future__ import annotations

from typing import Any

from functions.agents_api.ports import lifecycle
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.post("/agents/<agent_id>/transitions")
def move_agent(agent_id: str) -> Any:
    """Take one edge; answer 409 with those that there are where there is none."""
    tenant = caller(router.current_event).tenant
    return answer(200, lifecycle().move(tenant, agent_id, body_of(router.current_event)))


@router.delete("/agents/<agent_id>")
def terminate_agent(agent_id: str) -> Any:
    """End an agent, once."""
    return answer(200, lifecycle().terminate(caller(router.current_event).tenant, agent_id))
