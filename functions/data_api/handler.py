"""Serves the data files' part of the API."""

from __future__ import annotations

from typing import Any

from functions.data_api.data_files import router
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(router)


@room("data request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
