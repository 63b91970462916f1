"""Publishes tools: started when the stack of functions has been deployed."""

from __future__ import annotations

from typing import Any

from stepward.runtime import tool_wiring
from stepward.runtime.entry import room


@room("tools published")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Ask every folder of tools what it offers; one event or two, the shelf holds what is deployed now."""
    del event, context
    return {"published": tool_wiring.publish_tools_case()()}
