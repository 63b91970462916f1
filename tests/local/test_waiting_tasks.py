"""The state machine that waits for a token is found among others."""

from __future__ import annotations

from types import SimpleNamespace

from moto.stepfunctions.parser.api import ExecutionStatus

from infra.local.engine.states import tokens


def test_waiting_tasks_are_found_beside_executions_that_have_no_environment_yet() -> None:
    """A worker gets its environment in its own thread, a moment after the execution is RUNNING."""
    running = {"exec_status": ExecutionStatus.RUNNING}
    endpoints = SimpleNamespace(get={"token": "endpoint"}.get)
    env = SimpleNamespace(callback_pool_manager=endpoints)
    starting = SimpleNamespace(exec_worker=SimpleNamespace(env=None), **running)
    waiting = SimpleNamespace(exec_worker=SimpleNamespace(env=env), **running)
    unborn = SimpleNamespace(exec_worker=None, **running)
    machines = [SimpleNamespace(arn="arn", executions=[unborn, starting, waiting])]
    backend = SimpleNamespace(state_machines=machines)
    assert tokens.machine_of(backend, "token") == "arn"
    assert tokens.find(backend, "token") == "endpoint"
    assert tokens.machine_of(backend, "nobody's") is None
