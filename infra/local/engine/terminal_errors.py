"""moto lets `States.ALL` catch what AWS lets nothing or only its own name catch, and does not know the end of a heartbeat by its name.

Where: `ErrorEqualsDecl._eval_body` in moto/stepfunctions/parser/asl/component/common/error_name/error_equals_decl.py:52, and
`_verify_size_quota` in …/state/state.py, which asks for a result's size only after Retry and Catch. On AWS
States.Runtime and States.DataLimitExceeded are not among `States.ALL`, and a missed heartbeat is States.HeartbeatTimeout to them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_activitiy import (
    StateTaskActivity,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import HeartbeatTimeoutError
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from infra.local.engine.execution_limits import MAX_INPUT_BYTES
from infra.local.engine.task_texts import compact

ORIGINAL = ErrorEqualsDecl._eval_body  # noqa: SLF001 - what is mended
_ALL = StatesErrorName(StatesErrorNameType.StatesALL)
_HEARTBEAT = StatesErrorName(StatesErrorNameType.StatesHeartbeatTimeout)
_TERMINAL = tuple(
    StatesErrorName(kind)
    for kind in (StatesErrorNameType.StatesRuntime, StatesErrorNameType.StatesStatesDataLimitExceeded)
)


def install() -> None:
    """Hold every rule of Retry and Catch to it."""
    ErrorEqualsDecl._eval_body = _eval_body  # noqa: SLF001 - as above
    for kind in (StateTask, StateTaskActivity):
        kind._from_error = _knowing_heartbeats(kind._from_error)  # noqa: SLF001 - as above
    for kind in (StateTaskService, StateTaskServiceCallback):
        kind._after_eval_execution = _measured(kind._after_eval_execution)  # noqa: SLF001 - as above


def _eval_body(rule: Any, env: Any) -> None:
    error = env.stack[-1]
    if error in _TERMINAL and _ALL in rule.error_names:
        env.stack[-1] = error in rule.error_names
    elif getattr(error, "is_heartbeat", False) and _HEARTBEAT in rule.error_names:
        env.stack[-1] = True
    else:
        ORIGINAL(rule, env)


def _knowing_heartbeats(original: Callable[..., Any]) -> Callable[..., Any]:
    def from_error(state: Any, env: Any, ex: Exception) -> Any:
        failure = original(state, env=env, ex=ex)
        failure.error_name.is_heartbeat = isinstance(ex, HeartbeatTimeoutError)
        return failure

    return from_error


def _measured(original: Callable[..., None]) -> Callable[..., None]:
    def after_eval_execution(state: Any, env: Any, **named: Any) -> None:
        if len(compact(env.stack[-1]).encode()) > MAX_INPUT_BYTES:
            raise FailureEventException(_too_large(state, env))
        original(state, env=env, **named)

    return after_eval_execution


def _too_large(state: Any, env: Any) -> FailureEvent:
    name = StatesErrorName(StatesErrorNameType.StatesStatesDataLimitExceeded)
    cause = (
        f"The state/task '{state.resource.resource_arn}' returned a result with a size exceeding "
        "the maximum number of bytes service limit."
    )
    details = TaskFailedEventDetails(
        error=name.error_name,
        cause=cause,
        resource=state._get_sfn_resource(),  # noqa: SLF001 - as above
        resourceType=state._get_sfn_resource_type(),  # noqa: SLF001 - as above
    )
    told = EventDetails(taskFailedEventDetails=details)
    return FailureEvent(env, name, HistoryEventType.TaskFailed, told)
