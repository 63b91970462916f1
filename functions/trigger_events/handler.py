"""Starts agents and workflows when an object arrives, an event is put on the bus, or a schedule is due."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from stepward.runtime import trigger_wiring, wiring
from stepward.runtime.config import settings
from stepward.runtime.entry import room
from stepward.runtime.logs import logger
from stepward.triggers.fire import Fire
from stepward.triggers.receive import Receive


@room("event taken")
def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Fire what waits for one event; nobody waits for the answer, so the log says what came of it."""
    del context
    fire = Fire(wiring.triggers(), trigger_wiring.starters(), wiring.clock(), wiring.datasets())
    received = Receive(wiring.triggers(), fire, wiring.clock(), settings().event_sources)(event)
    if received.unmatched:
        logger.warning(f"started nothing: {received.what}: {received.unmatched}", tenant=received.tenant)
    return asdict(received)
