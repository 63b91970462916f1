"""Advances a run: the machine's AdvanceRun and RecordFailure states."""

from __future__ import annotations

from typing import Any

from stepward.agents.advance import Advance
from stepward.agents.advance_messages import AdvanceAnswer, AdvanceRequest
from stepward.agents.continue_as_new import MOST_EVENTS
from stepward.runtime import wiring
from stepward.runtime.config import settings
from stepward.runtime.entry import task, time_left_s
from stepward.runtime.tool_wiring import inline_context


@task("run advanced", AdvanceRequest)
def handle(request: AdvanceRequest, context: Any) -> AdvanceAnswer:
    """Go on with one run."""
    advance = Advance(
        ports=wiring.run_ports(),
        consultant=wiring.consultant,
        latest=wiring.latest_version,
        context=inline_context,
        invocation=context.aws_request_id,
        time_left_s=time_left_s(context),
        most_events=settings().epoch_events or MOST_EVENTS,
    )
    return advance(request)
