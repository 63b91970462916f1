"""Takes calls from outside for tasks that wait for one."""

from __future__ import annotations

from typing import Any

from functions.callbacks.receive_call import router
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(router)


@room("call received")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
