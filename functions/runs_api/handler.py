"""Serves the runs' part of the API."""

from __future__ import annotations

from typing import Any

from functions.runs_api.cancel_run import router as cancelling
from functions.runs_api.fork_run import router as forking
from functions.runs_api.pause_run import router as pausing
from functions.runs_api.read_runs import router as reading
from functions.runs_api.start_run import router as starting
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(starting, reading, cancelling, pausing, forking)


@room("runs request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
