"""Serves the tools' part of the API."""

from __future__ import annotations

from typing import Any

from functions.tools_api.read_tools import router
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(router)


@room("tools request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
