"""Execute tasks of workflows, and end their runs.

Every state of a workflow's machine but the awaits calls this function.
"""

from __future__ import annotations

from typing import Any

from stepward.runtime.container import container
from stepward.runtime.entry import task_handler
from stepward.workflows.runs.task_requests import TaskRequest


@task_handler("task carried", TaskRequest)
def handle(request: TaskRequest, context: Any) -> dict[str, Any]:
    """Execute what one state of the machine asks for."""
    del context
    key, chunk = request.run.key, request.run.chunk
    if request.step == "chunk":
        return container.workflow_runs.chunk.begin(request)
    if request.step == "settle":
        failure = (request.state or {}).get("failed")
        if chunk:
            return container.workflow_runs.chunk.finish(key, chunk, failure)
        finalize = container.workflow_runs.finalize(key)
        return finalize(key, failure, request.run.undo, fails=request.fails)
    return container.workflow_runs.execute_task(key)(request)
