"""Publish tools, when the stack of functions has been deployed."""

from __future__ import annotations

from typing import Any

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler


@lambda_handler("tools published")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Publish the tools that each folder of tools offers.

    What is deployed now is published, so a repeated event does no harm.
    """
    del event, context
    return {"published": container.tools.publish()}
