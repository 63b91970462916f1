"""Start agents and workflows by objects, events of the bus and schedules."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.logs import logger


@lambda_handler("event taken")
def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Fire the triggers that one event matches, and log an event that matched none."""
    del context
    received = container.triggers.receive_event(event)
    if received.unmatched:
        logger.warning(f"started nothing: {received.what}: {received.unmatched}", tenant=received.tenant)
    return asdict(received)
