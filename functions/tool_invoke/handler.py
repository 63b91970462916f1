"""Carries out one remote tool call: the machine's CallTool state."""

from __future__ import annotations

from typing import Any

from stepward.agents.call_tool import CallRequest, CallTool
from stepward.runtime import wiring
from stepward.runtime.entry import task
from stepward.runtime.tool_wiring import remote_context


@task("tool called", CallRequest)
def handle(request: CallRequest, context: Any) -> dict[str, str]:
    """Make one call."""
    call = CallTool(
        journal=wiring.journal(),
        definition=wiring.definition,
        context=remote_context,
        invocation=context.aws_request_id,
    )
    return {"call": request.call, "outcome": call(request)}
