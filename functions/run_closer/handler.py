"""Closes a run whose execution failed, timed out or was stopped."""

from __future__ import annotations

from typing import Any

from stepward.agents.reconcile import CloseRun, epoch_of_event, is_of_workflow, run_of_event
from stepward.runtime import wiring, workflow_wiring
from stepward.runtime.entry import room
from stepward.workflows.runs.task_requests import chunk_of_event


@room("run closed")
def handle(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Close the run of one status-change event."""
    del context
    key, error, detail = run_of_event(event)
    if chunk := chunk_of_event(event):
        return {"status": workflow_wiring.chunk_case().died(key, chunk, detail)}
    if is_of_workflow(event):
        return {"status": workflow_wiring.end_case().close(key, error, detail)}
    return {"status": CloseRun(wiring.run_ports())(key, error, detail, epoch_of_event(event))}
