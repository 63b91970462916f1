"""Serve the part of the API where people decide what runs wait for."""

from __future__ import annotations

from typing import Any

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, body_of, caller, http_app, query_of, routes

router = routes()


@router.get("/approvals")
def list_approvals() -> Any:
    """List the approvals that are open, or those that are closed."""
    event = router.current_event
    return answer(200, container.approvals.show.list(caller(event).tenant, query_of(event)))


@router.get("/approvals/<approval_id>")
def show_approval(approval_id: str) -> Any:
    """Show one with its details and its form."""
    return answer(200, container.approvals.show.detail(caller(router.current_event).tenant, approval_id))


@router.post("/approvals/<approval_id>/decision")
def decide(approval_id: str) -> Any:
    """Take a decision: answer with the approval as it is now; the run goes on."""
    event = router.current_event
    return answer(200, container.approvals.decide(caller(event), approval_id, body_of(event)))


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("approvals request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
