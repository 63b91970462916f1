"""Carries tasks of workflows, and ends their runs: every state of a workflow's machine but the awaits."""

from __future__ import annotations

from typing import Any

from stepward.runtime import workflow_wiring
from stepward.runtime.entry import task
from stepward.workflows.runs.task_requests import TaskRequest


@task("task carried", TaskRequest)
def handle(request: TaskRequest, context: Any) -> dict[str, Any]:
    """Carry one entry of a state."""
    del context
    key, chunk = request.run.key, request.run.chunk
    if request.step == "chunk":
        return workflow_wiring.chunk_case().begin(request)
    if request.step == "settle":
        failure = (request.state or {}).get("failed")
        if chunk:
            return workflow_wiring.chunk_case().settle(key, chunk, failure)
        return workflow_wiring.settle_case(key)(key, failure, request.run.undo, fails=request.fails)
    return workflow_wiring.carry_case(key)(request)
