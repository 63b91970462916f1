"""Patches of task tokens: one for each attempt, answered once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import EmptyResult
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.api import ExecutionStatus, InvalidToken, TaskTimedOut
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, CallbackPoolManager
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse


def find(backend: StepFunctionsParserBackend, token: str) -> CallbackEndpoint | None:
    """Return the endpoint that waits for a token, or None."""
    found = _found(backend, token)
    return found[1] if found else None


def machine_of(backend: StepFunctionsParserBackend, token: str) -> str | None:
    """Return the ARN of the state machine that waits for a token, or None."""
    found = _found(backend, token)
    return str(found[0].arn) if found else None


def _found(backend: StepFunctionsParserBackend, token: str) -> tuple[StateMachine, CallbackEndpoint] | None:
    for machine in list(backend.state_machines):
        for execution in list(machine.executions):
            # An execution has its worker before the worker has its environment.
            env = execution.exec_worker.env if execution.exec_worker else None
            if execution.exec_status != ExecutionStatus.RUNNING or env is None:
                continue
            if (endpoint := env.callback_pool_manager.get(token)) is not None:
                return machine, endpoint
    return None


ORIGINAL_ADD = CallbackPoolManager.add
ORIGINAL_ADD_ACTIVITY = CallbackPoolManager.add_activity_task
ORIGINAL_CLOSE_FRAME = Environment.close_frame
ORIGINAL_INTERRUPT = CallbackEndpoint.interrupt_all
ORIGINALS = {
    name: getattr(StepFunctionsParserBackend, name) for name in ("send_task_success", "send_task_failure")
}
_GONE = "Task Timed Out: 'Provided task does not exist anymore'"
_MAX_REMEMBERED = 100_000
_issued: dict[str, None] = {}
_lock = threading.Lock()


def install_used_tokens() -> None:
    """Accept one answer for each token, and only while its task waits.

    moto accepts a second answer for a task token, which may replace the first, and calls tokens of ended tasks invalid.

    Where: `send_task_success`, `send_task_failure` and `send_task_heartbeat` of `StepFunctionsParserBackend` in
    moto/stepfunctions/parser/models.py:106-159, and `Environment.close_frame`, which ends a task that has timed out before the
    thread that waits for its token notices. On AWS a token is answered once; afterwards, or when its task or execution has ended,
    the call fails with TaskTimedOut. A heartbeat of a task without HeartbeatSeconds is accepted.
    """
    CallbackPoolManager.add = _remembering(ORIGINAL_ADD)
    CallbackPoolManager.add_activity_task = _remembering(ORIGINAL_ADD_ACTIVITY)
    CallbackEndpoint.interrupt_all = _interrupt_all
    Environment.close_frame = _close_frame
    for name, original in ORIGINALS.items():
        setattr(StepFunctionsParserBackend, name, _once(original))
    StepFunctionsParserBackend.send_task_heartbeat = _heartbeat


def _remembering(original: Callable[..., CallbackEndpoint]) -> Callable[..., CallbackEndpoint]:
    def add(pool: CallbackPoolManager, callback_id: str, *args: Any, **named: Any) -> CallbackEndpoint:
        endpoint = original(pool, callback_id, *args, **named)
        _issued[callback_id] = None
        while len(_issued) > _MAX_REMEMBERED:
            _issued.pop(next(iter(_issued)), None)
        return endpoint

    return add


def _interrupt_all(endpoint: CallbackEndpoint) -> None:
    endpoint.is_over = True
    ORIGINAL_INTERRUPT(endpoint)


def _close_frame(env: Environment, frame: Environment) -> None:
    task = frame.states.context_object.context_object_data.get("Task") or {}
    endpoint = frame.callback_pool_manager.get(task.get("Token"))
    if endpoint is not None:
        # Once the history says that the task timed out, no answer may be accepted.
        with _lock:
            endpoint.is_over = True
    ORIGINAL_CLOSE_FRAME(env, frame)


def _once(original: Callable[..., Any]) -> Callable[..., Any]:
    def send(backend: StepFunctionsParserBackend, task_token: str, *args: Any, **named: Any) -> Any:
        # Two answers at once: the second must see the outcome of the first.
        with _lock:
            _waiting(backend, task_token)
            return original(backend, task_token, *args, **named)

    return send


def _heartbeat(backend: StepFunctionsParserBackend, task_token: str) -> None:
    _waiting(backend, task_token).notify_heartbeat()


def _waiting(backend: StepFunctionsParserBackend, token: str) -> CallbackEndpoint:
    endpoint = find(backend, token)
    if endpoint is None and token not in _issued:
        raise InvalidToken
    if endpoint is None or endpoint.get_outcome() is not None or getattr(endpoint, "is_over", False):
        raise TaskTimedOut(_GONE, "TaskTimedOut")
    return endpoint


ORIGINAL_RETRIED_TOKENS = ExecutionState._evaluate_with_timeout  # noqa: SLF001 - what is patched


def install_retried_tokens() -> None:
    """Give each attempt of a task a token of its own.

    moto gives all attempts of a task one token, so that the answer that ended the first attempt ends the second at once.

    Where: `_eval_body` of `StateTaskServiceCallback` in moto/stepfunctions/parser/asl/component/state/exec/state_task/service/
    state_task_service_callback.py:311 makes the token before `_eval_state` of `ExecutionState` begins its attempts. On AWS
    each attempt has a token of its own, and those of earlier attempts fail with TaskTimedOut.
    """
    StateTaskServiceCallback._evaluate_with_timeout = _evaluate  # noqa: SLF001 - as above


def _evaluate(state: Any, env: Environment) -> None:
    context = env.states.context_object
    is_retried = bool(context.context_object_data["State"]["RetryCount"])
    if is_retried and state.resource.condition == ResourceCondition.WaitForTaskToken:
        env.callback_pool_manager.add(context.update_task_token())
    ORIGINAL_RETRIED_TOKENS(state, env)


ORIGINAL_TASK_FAILURES = StepFunctionResponse.send_task_failure
ORIGINAL_SUCCESS = StepFunctionResponse.send_task_success


class InvalidOutput(JsonRESTError):  # type: ignore[misc]
    """The output is not valid JSON."""

    code = 400

    def __init__(self) -> None:
        """Use AWS's code and message."""
        super().__init__("InvalidOutput", "Invalid Output: not valid JSON")


def install_task_failures() -> None:
    """Pass on error and cause, and validate the output.

    moto drops the `cause` of SendTaskFailure, and accepts an output that is not JSON from SendTaskSuccess, which fails the run.

    Where: `send_task_failure` and `send_task_success` in moto/stepfunctions/responses.py.
    """
    StepFunctionResponse.send_task_failure = _send_task_failure
    StepFunctionResponse.send_task_success = _send_task_success


def _send_task_success(response: StepFunctionResponse) -> EmptyResult:
    try:
        json.loads(response._get_param("output"))  # noqa: SLF001 - moto's way to a parameter
    except ValueError:
        raise InvalidOutput from None
    return ORIGINAL_SUCCESS(response)


def _send_task_failure(response: StepFunctionResponse) -> EmptyResult:
    token, error, cause = (response._get_param(name) for name in ("taskToken", "error", "cause"))  # noqa: SLF001
    response.stepfunction_backend.send_task_failure(token, error=error, cause=cause)
    return EmptyResult()
