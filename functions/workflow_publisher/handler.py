"""Create the state machines of workflows' versions: the only function that may."""

from __future__ import annotations

from typing import Any

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler


@lambda_handler("machine made")
def handle(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Serve one request; one that fails is delivered again, which does no harm."""
    del context
    if "discard" in event:
        container.ports.state_machine_admin.remove(event["discard"])
        return {"outcome": "DISCARDED"}
    outcome = container.workflows.publish(event["tenant"], event["workflow"], event["version"])
    return {"outcome": outcome}
