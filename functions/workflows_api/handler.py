"""Serves the workflows' part of the API."""

from __future__ import annotations

from typing import Any

from functions.workflows_api.plan_workflow import router as planning
from functions.workflows_api.read_workflows import router as reading
from functions.workflows_api.register_workflow import router as registering
from functions.workflows_api.run_workflow import router as running
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(registering, planning, reading, running)


@room("workflows request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
