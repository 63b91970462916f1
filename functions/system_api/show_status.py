"""Shows the status of the system as a tenant may see it."""

from __future__ import annotations

from typing import Any

from stepward.agents.run_limits import SystemStatus
from stepward.runtime import wiring
from stepward.runtime.http import answer, caller, routes

router = routes()


@router.get("/system/status")
def show_status() -> Any:
    """Answer the figures of the caller's tenant."""
    status = SystemStatus(wiring.line(), wiring.limits_config(), wiring.clock())
    return answer(200, status(caller(router.current_event).tenant))
