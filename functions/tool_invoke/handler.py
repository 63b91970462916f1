"""Execute one remote tool call: the machine's CallTool state."""

from __future__ import annotations

from typing import Any

from stepward.agents.machine_messages import CallRequest
from stepward.runtime.container import container
from stepward.runtime.entry import task_handler


@task_handler("tool called", CallRequest)
def handle(request: CallRequest, context: Any) -> dict[str, str]:
    """Make one call."""
    return {"call": request.call, "outcome": container.tools.call(context.aws_request_id)(request)}
