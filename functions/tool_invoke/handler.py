"""Carries out one remote tool call: the machine's CallTool state."""

from __future__ import annotations

from typing import Any

from stepward.agents.call_tool import CallRequest, CallTool
from stepward.runtime import wiring
from stepward.runtime.config import settings
from stepward.runtime.entry import task


@task("tool called", CallRequest)
def handle(request: CallRequest, context: Any) -> dict[str, str]:
    """Make one call."""
    call = CallTool(
        journal=wiring.journal(),
        datasets=wiring.datasets(),
        definition=wiring.definition,
        http_allow=settings().http_allow,
        invocation=context.aws_request_id,
    )
    return {"call": request.call, "outcome": call(request)}
