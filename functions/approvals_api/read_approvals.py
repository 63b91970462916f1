"""Lists approvals, and shows one."""

from __future__ import annotations

from typing import Any

from stepward.runtime import asking
from stepward.runtime.http import answer, caller, query_of, routes

router = routes()


@router.get("/approvals")
def list_approvals() -> Any:
    """List what waits for a decision, or what became of the rest."""
    event = router.current_event
    return answer(200, asking.show_approvals_case().list(caller(event).tenant, query_of(event)))


@router.get("/approvals/<approval_id>")
def show_approval(approval_id: str) -> Any:
    """Show one with its details and its form."""
    return answer(200, asking.show_approvals_case().detail(caller(router.current_event).tenant, approval_id))
