"""Serves calls from outside."""

from __future__ import annotations

from typing import Any

from functions.webhooks.receive_webhook import router as receiving
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(receiving)


@room("webhook received")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one call."""
    return app.resolve(event, context)
