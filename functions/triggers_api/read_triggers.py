"""Lists triggers and shows one."""

from __future__ import annotations

from typing import Any

from stepward.runtime import wiring
from stepward.runtime.http import answer, caller, query_of, routes
from stepward.triggers.show import ShowTriggers

router = routes()


@router.get("/triggers")
def list_triggers() -> Any:
    """List the tenant's triggers by id."""
    event = router.current_event
    return answer(200, _show().list(caller(event).tenant, query_of(event)))


@router.get("/triggers/<trigger_id>")
def show_trigger(trigger_id: str) -> Any:
    """Show one with what it did, and when it fires next."""
    return answer(200, _show().detail(caller(router.current_event).tenant, trigger_id))


def _show() -> ShowTriggers:
    return ShowTriggers(wiring.triggers(), wiring.clock())
