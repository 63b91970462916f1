"""Serves the agents' part of the API."""

from __future__ import annotations

from typing import Any

from functions.agents_api.label_agent import router as labelling
from functions.agents_api.move_agent import router as moving
from functions.agents_api.read_agents import router as reading
from functions.agents_api.register_agent import router as registering
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(registering, reading, labelling, moving)


@room("agents request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
