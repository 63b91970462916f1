"""Serve the runs' part of the API."""

from __future__ import annotations

from typing import Any

from functions.runs_api.control_runs import router as control
from functions.runs_api.read_runs import router as read
from functions.runs_api.start_runs import router as start
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import http_app

app = http_app(start, read, control)


@lambda_handler("runs request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
