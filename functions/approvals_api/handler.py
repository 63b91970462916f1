"""Serve the part of the API where people decide what runs wait for."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, body_of, caller, http_app, query_of, routes

router = routes()


@router.get("/approvals")
def list_approvals() -> Response[str]:
    """List approvals, newest first; `status` is open or done.

    Returns:
        200 with the page and its `next_cursor`.

    Raises:
        InvalidRequest: A query parameter is invalid.
    """
    event = router.current_event
    return answer(200, container.approvals.show.list(caller(event).tenant, query_of(event)))


@router.get("/approvals/<approval_id>")
def show_approval(approval_id: str) -> Response[str]:
    """Show one approval with its details and its form.

    Args:
        approval_id: The approval's id.

    Returns:
        200 with the approval.

    Raises:
        NotFound: There is no such approval.
    """
    return answer(200, container.approvals.show.detail(caller(router.current_event).tenant, approval_id))


@router.post("/approvals/<approval_id>/decision")
def decide(approval_id: str) -> Response[str]:
    """Decide an approval: `decision`, `form` and `comment` in the body.

    Args:
        approval_id: The approval's id.

    Returns:
        200 with the approval as it is now; the run goes on.

    Raises:
        NotAllowed: The caller may not decide it.
        Conflict: It is decided or closed.
        InvalidRequest: The form does not fit.
        NotFound: There is no such approval.
    """
    event = router.current_event
    return answer(200, container.approvals.decide(caller(event), approval_id, body_of(event)))


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("approvals request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
