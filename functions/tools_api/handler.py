"""Serve the tools' part of the API."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, caller, http_app, routes

router = routes()


@router.get("/tools")
def list_tools() -> Response[str]:
    """List every tool by name.

    Returns:
        200 with the tools.
    """
    caller(router.current_event)
    return answer(200, {"tools": container.tools.show_all()})


@router.get("/tools/<tool>")
def show_tool(tool: str) -> Response[str]:
    """Show one tool with the schemas of its settings and arguments.

    Args:
        tool: The tool's name.

    Returns:
        200 with the tool.

    Raises:
        NotFound: There is no such tool.
    """
    caller(router.current_event)
    return answer(200, container.tools.show(tool))


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("tools request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
