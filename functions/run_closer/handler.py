"""Closes a run whose execution failed, timed out or was stopped."""

from __future__ import annotations

from typing import Any

from stepward.agents.closing import CloseRun, run_of_event
from stepward.runtime import wiring
from stepward.runtime.entry import room


@room("run closed")
def handle(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Close the run of one status-change event."""
    del context
    close = CloseRun(wiring.run_ports())
    return {"status": close(*run_of_event(event))}
