"""Registers a version of an agent."""

from __future__ import annotations

from typing import Any

from stepward.agents.register import Register
from stepward.ports.registry import summary
from stepward.runtime import wiring
from stepward.runtime.config import settings
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.post("/agents")
def register_agent() -> Any:
    """Answer 201 for a new version, 200 for one that was there with the same content."""
    tenant = caller(router.current_event).tenant
    register = Register(wiring.registry(), wiring.clock(), settings().http_allow)
    agent, is_new = register(tenant, body_of(router.current_event))
    shown = summary(agent).model_dump()
    return answer(
        201 if is_new else 200, shown, {"Location": f"/agents/{shown['id']}?version={shown['version']}"}
    )
