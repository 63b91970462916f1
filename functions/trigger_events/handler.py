"""Start agents and workflows when an object arrives, an event is put on the bus, or a schedule is due."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.logs import logger


@lambda_handler("event taken")
def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Fire what waits for one event; nobody waits for the answer, so the log says what came of it."""
    del context
    received = container.triggers.receive_event(event)
    if received.unmatched:
        logger.warning(f"started nothing: {received.what}: {received.unmatched}", tenant=received.tenant)
    return asdict(received)
