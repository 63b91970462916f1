"""Find who waits for a task token among the executions that run."""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus


def find(backend: Any, token: str) -> Any:
    """Give the waiting end of a token, or None when nobody waits for it any more."""
    for machine in list(backend.state_machines):
        for execution in list(machine.executions):
            env = execution.exec_worker.env if execution.exec_worker else None
            if execution.exec_status != ExecutionStatus.RUNNING or env is None:
                continue
            if (endpoint := env.callback_pool_manager.get(token)) is not None:
                return endpoint
    return None
