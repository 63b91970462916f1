"""Find who waits for a task token among the executions that run."""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus


def find(backend: Any, token: str) -> Any:
    """Give the waiting end of a token, or None when nobody waits for it any more."""
    found = _found(backend, token)
    return found[1] if found else None


def machine_of(backend: Any, token: str) -> str | None:
    """Give the ARN of the state machine that waits for a token: permissions to answer are about it."""
    found = _found(backend, token)
    return str(found[0].arn) if found else None


def _found(backend: Any, token: str) -> tuple[Any, Any] | None:
    for machine in list(backend.state_machines):
        for execution in list(machine.executions):
            # An execution has its worker before the worker has its environment.
            env = execution.exec_worker.env if execution.exec_worker else None
            if execution.exec_status != ExecutionStatus.RUNNING or env is None:
                continue
            if (endpoint := env.callback_pool_manager.get(token)) is not None:
                return machine, endpoint
    return None
