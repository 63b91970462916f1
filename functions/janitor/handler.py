"""Sweeps up, each minute: starts runs that never began, closes runs that nobody carries any more."""

from __future__ import annotations

from typing import Any

from stepward.agents.closing import CloseRun, Sweep
from stepward.runtime import wiring
from stepward.runtime.entry import room


@room("open runs swept")
def handle(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Make one round."""
    del event, context
    close = CloseRun(wiring.journal(), wiring.runtime_state(), wiring.clock(), wiring.ids())
    sweep = Sweep(wiring.journal(), wiring.runtime_state(), wiring.run_machine(), wiring.clock(), close)
    return sweep()
