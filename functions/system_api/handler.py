"""Serve the part of the API that is about the system itself."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, caller, http_app, routes

router = routes()


@router.get("/system/status")
def show_status() -> Response[str]:
    """Show the tenant's active, waiting and queued runs, and its free slots.

    Returns:
        200 with the counts.
    """
    return answer(200, container.agents.system_status(caller(router.current_event).tenant))


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("system request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
