"""Registers a version of an agent."""

from __future__ import annotations

from typing import Any

from functions.agents_api.ports import register
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.post("/agents")
def register_agent() -> Any:
    """Answer 201 for a new version, 200 for one that was there with the same content."""
    tenant = caller(router.current_event).tenant
    agent, is_new = register()(tenant, body_of(router.current_event))
    where = {"Location": f"/agents/{agent.id}?version={agent.version}"}
    return answer(201 if is_new else 200, agent.model_dump(mode="json"), where)
