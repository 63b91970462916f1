"""Serves the part of the API where people decide what runs wait for."""

from __future__ import annotations

from typing import Any

from functions.approvals_api.decide import router as deciding
from functions.approvals_api.read_approvals import router as reading
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(reading, deciding)


@room("approvals request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
