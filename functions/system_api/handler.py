"""Serves the part of the API that is about the system itself."""

from __future__ import annotations

from typing import Any

from functions.system_api.show_status import router as showing
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(showing)


@room("system request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
