"""Serves the line, and opens waits: the two things that a run without a slot depends on."""

from __future__ import annotations

from typing import Any

from functions.dispatch.open_wait import open_wait
from functions.dispatch.serve_lines import serve_lines
from stepward.runtime.entry import room


@room("dispatched")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Take nudges from the queue, or one wait from a machine."""
    return serve_lines(event["Records"], context) if "Records" in event else open_wait(event, context)
