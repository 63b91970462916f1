"""Serves health, readiness, figures, and the answer for unknown routes."""

from __future__ import annotations

from typing import Any

from functions.health.metrics import router as metrics
from functions.health.readiness import router as readiness
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(readiness, metrics)


@room("health request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
