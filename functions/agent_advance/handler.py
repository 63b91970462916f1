"""Advances a run: the machine's Advance state."""

from __future__ import annotations

from typing import Any

from stepward.agents.advance import Advance, AdvanceAnswer, AdvanceRequest
from stepward.runtime import wiring
from stepward.runtime.entry import task, time_left_s


@task("run advanced", AdvanceRequest)
def handle(request: AdvanceRequest, context: Any) -> AdvanceAnswer:
    """Go on with one run."""
    advance = Advance(
        journal=wiring.journal(),
        runtime=wiring.runtime_state(),
        datasets=wiring.datasets(),
        clock=wiring.clock(),
        consultant=wiring.consultant,
        invocation=context.aws_request_id,
        time_left_s=time_left_s(context),
    )
    return advance(request)
