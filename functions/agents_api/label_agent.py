"""Names versions of an agent."""

from __future__ import annotations

from typing import Any

from functions.agents_api.ports import labels
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.get("/agents/<agent_id>/labels")
def list_labels(agent_id: str) -> Any:
    """List an agent's labels."""
    return answer(200, labels().list(caller(router.current_event).tenant, agent_id))


@router.put("/agents/<agent_id>/labels/<label>")
def put_label(agent_id: str, label: str) -> Any:
    """Point a label to a version."""
    tenant = caller(router.current_event).tenant
    return answer(200, labels().put(tenant, agent_id, label, body_of(router.current_event)))


@router.delete("/agents/<agent_id>/labels/<label>")
def remove_label(agent_id: str, label: str) -> Any:
    """Take a label away."""
    return answer(200, labels().remove(caller(router.current_event).tenant, agent_id, label))
