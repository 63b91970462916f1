"""Serves the triggers' part of the API."""

from __future__ import annotations

from typing import Any

from functions.triggers_api.define_triggers import router as defining
from functions.triggers_api.fire_trigger import router as firing
from functions.triggers_api.read_triggers import router as reading
from functions.triggers_api.try_trigger import router as trying
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(defining, reading, trying, firing)


@room("triggers request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
