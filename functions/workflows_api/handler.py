"""Serve the workflows' part of the API."""

from __future__ import annotations

from typing import Any

from functions.workflows_api.plans import router as plans
from functions.workflows_api.registered_workflows import router as workflows
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import http_app

app = http_app(workflows, plans)


@lambda_handler("workflows request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
