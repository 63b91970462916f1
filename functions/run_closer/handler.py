"""Close a run whose execution failed, timed out or was stopped."""

from __future__ import annotations

from typing import Any

from stepward.domain.execution_events import ExecutionEnd
from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler


@lambda_handler("run closed")
def handle(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Close the run of one status-change event."""
    del context
    end = ExecutionEnd.of(event)
    if end.chunk:
        return {"status": container.workflow_runs.chunk.died(end.key, end.chunk, end.detail)}
    if end.of_workflow:
        return {"status": container.workflow_runs.end.close(end.key, end.error, end.detail)}
    return {"status": container.runs.close(end.key, end.error, end.detail, end.epoch)}
