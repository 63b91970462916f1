"""Sweeps up, each minute: starts runs that never began, closes runs that nobody carries any more."""

from __future__ import annotations

from typing import Any

from stepward.agents.closing import Sweep
from stepward.runtime import wiring
from stepward.runtime.entry import room


@room("open runs swept")
def handle(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Make one round."""
    del event, context
    return Sweep(wiring.run_ports())()
