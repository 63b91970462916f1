"""Makes the state machines of workflows' versions: the only room that may."""

from __future__ import annotations

from typing import Any

from stepward.runtime import workflow_wiring
from stepward.runtime.entry import room


@room("machine made")
def handle(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Carry out one order; one that fails comes again, which is harmless."""
    del context
    if "discard" in event:
        workflow_wiring.shop().remove(event["discard"])
        return {"outcome": "DISCARDED"}
    outcome = workflow_wiring.publish_case()(event["tenant"], event["workflow"], event["version"])
    return {"outcome": outcome}
