"""Advance a run: the machine's AdvanceRun and RecordFailure states."""

from __future__ import annotations

from typing import Any

from stepward.agents.machine_messages import AdvanceAnswer, AdvanceRequest
from stepward.runtime.container import container
from stepward.runtime.entry import task_handler, time_left_s


@task_handler("run advanced", AdvanceRequest)
def handle(request: AdvanceRequest, context: Any) -> AdvanceAnswer:
    """Advance one run until it has ended or must wait."""
    return container.runs.advance(context.aws_request_id, time_left_s(context))(request)
