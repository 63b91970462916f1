"""Patches of failures: their events, their names, and what Retry and Catch match."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NoReturn

from moto.stepfunctions.parser.api import (
    EvaluationFailedEventDetails,
    ExecutionFailedEventDetails,
    HistoryEventType,
    TaskFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name import custom_error_name
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
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
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from infra.local.engine.states.execution_starts import MAX_INPUT_BYTES
from infra.local.engine.states.task_calls import compact

ORIGINAL_FAILURE_EVENTS = FailureEvent.__init__
ORIGINAL_EXECUTION_FAILED = FailureEventException.get_execution_failed_event_details
ORIGINAL_EVALUATION_FAILED = FailureEventException.get_evaluation_failed_event_details
_PREFIX = "An error occurred while executing the state "


class RecordedDetails(dict[str, Any]):
    """Details of a failure that the history has, or gets with the end of the program."""


def install_failure_events() -> None:
    """Write each failure once, and name the event that entered the state.

    moto writes some failures twice, and names the newest event where AWS names the one that entered the state.

    Where: `_eval_state` of `ExecutionState` (…/state/exec/execute_state.py:255) and `StateMap` (…/state_map/state_map.py:312)
    in moto/stepfunctions/parser/asl/component write EvaluationFailed, and ExecutionFailed for a bad TimeoutSecondsPath or
    HeartbeatSecondsPath, that are written again; `FailureEvent` in …/common/error_name/failure_event.py:24 takes the newest
    event for "(entered at the event id #…)".
    """
    FailureEvent.__init__ = _init
    FailureEventException.get_execution_failed_event_details = _execution_failed
    FailureEventException.get_evaluation_failed_event_details = _evaluation_failed


def is_recorded(details: Any) -> bool:
    """Return whether an event with these details would be a repetition."""
    return isinstance(details, dict) and any(
        isinstance(part, RecordedDetails) for part in (details, *details.values())
    )


def follow_entry(env: Environment, *, itself: bool) -> int:
    """Let the next event follow the state's entry or the event before; return the entry's id."""
    entered, context = entered_at(env), env.event_history_context
    if entered:
        before = env.event_manager._history_event_list[entered - 1]["previousEventId"]  # noqa: SLF001 - as below
        context.source_event_id = entered if itself else before
    return entered


def remember_entry(env: Environment, entered: int) -> None:
    """Keep the event that entered the state, where the newest event does not lead back to it."""
    context = env.event_history_context
    context.entry_before = (context.source_event_id, entered)


def entered_at(env: Environment) -> int:
    """Return the id of the event that entered the state.

    The search goes back from the newest event of this part of the execution.
    """
    newest, entered = getattr(env.event_history_context, "entry_before", (None, 0))
    if newest == env.event_history_context.source_event_id:
        return int(entered)
    events = env.event_manager._history_event_list  # noqa: SLF001 - reading without copying it all
    event_id = int(env.event_history_context.source_event_id)
    while 0 < event_id <= len(events):
        event = events[event_id - 1]
        details = event.get("stateEnteredEventDetails")
        if details is not None and details["name"] == env.next_state_name:
            return event_id
        event_id = int(event["previousEventId"])
    return int(env.event_history_context.source_event_id)


def with_state(env: Environment, cause: str) -> str:
    """Return a cause with the state and its entry, in AWS's words."""
    return f"{_PREFIX}'{env.next_state_name}' (entered at the event id #{entered_at(env)}). {cause}"


def execution_failed(env: Environment, kind: StatesErrorNameType, cause: str) -> FailureEvent:
    """Build the failure that ends an execution with an error of the States Language."""
    name = StatesErrorName(typ=kind)
    failed = ExecutionFailedEventDetails(error=name.error_name, cause=cause)
    details = EventDetails(executionFailedEventDetails=failed)
    return FailureEvent(env, name, HistoryEventType.ExecutionFailed, details)


def fail_execution(env: Environment, kind: StatesErrorNameType, cause: str) -> NoReturn:
    """End an execution with an error of the States Language."""
    raise FailureEventException(execution_failed(env, kind, cause)) from None


def task_failed(task: StateTaskService, env: Environment, name: ErrorName, cause: str) -> FailureEvent:
    """Build the failure of a task's call."""
    failed = TaskFailedEventDetails(
        error=name.error_name,
        cause=cause,
        resource=task._get_sfn_resource(),  # noqa: SLF001 - what tasks of moto offer
        resourceType=task._get_sfn_resource_type(),  # noqa: SLF001 - as above
    )
    return FailureEvent(env, name, HistoryEventType.TaskFailed, EventDetails(taskFailedEventDetails=failed))


def _init(
    failure: FailureEvent,
    env: Environment,
    error_name: ErrorName,
    event_type: HistoryEventType,
    event_details: EventDetails | None = None,
) -> None:
    if event_type == HistoryEventType.ExecutionFailed and event_details is not None:
        event_details = RecordedDetails(event_details)
    ORIGINAL_FAILURE_EVENTS(failure, env, error_name, event_type, event_details)
    failure.source_event_id = entered_at(env)


def _execution_failed(exception: FailureEventException) -> ExecutionFailedEventDetails:
    pair = exception.extract_error_cause_pair()
    if pair is not None and (pair[1] or "").startswith(_PREFIX):
        return {"error": pair[0], "cause": pair[1]}
    return ORIGINAL_EXECUTION_FAILED(exception)


def _evaluation_failed(exception: FailureEventException) -> EvaluationFailedEventDetails:
    if is_recorded(exception.failure_event.event_details):
        return RecordedDetails()
    return ORIGINAL_EVALUATION_FAILED(exception)


ORIGINAL_ERROR_NAMES = custom_error_name.CustomErrorName
_STATES = "moto.stepfunctions.parser.asl.component.state.exec"
_FAIL = "moto.stepfunctions.parser.asl.component.state.fail.state_fail"
_PLACES = (
    _FAIL,
    f"{_STATES}.state_map.iteration.iteration_worker",
    f"{_STATES}.state_parallel.branches_decl",
    f"{_STATES}.state_task.service.state_task_service_callback",
    f"{_STATES}.state_task.service.state_task_service_lambda",
    f"{_STATES}.state_task.state_task_activitiy",
    f"{_STATES}.state_task.state_task_lambda",
)


def install_error_names() -> None:
    """Accept any name for an error that has happened.

    moto breaks on errors whose names begin with `States.` when they come out of a Map, a Parallel or a callback.

    Where: `CustomErrorName` in moto/stepfunctions/parser/asl/component/common/error_name/custom_error_name.py:17 refuses them,
    which is right for a definition; but `StateFail`, `IterationWorker`, `BranchesDecl` and callbacks use it for what has happened, so
    that a timeout inside a Map ends as States.Runtime.
    """
    for place in _PLACES:
        vars(importlib.import_module(place))["CustomErrorName"] = _HappenedError


class _HappenedError(ErrorName):  # type: ignore[misc]
    def __init__(self, error_name: Any) -> None:
        super().__init__(error_name=error_name)


ORIGINAL_TERMINAL_ERRORS = ErrorEqualsDecl._eval_body  # noqa: SLF001 - what is patched
_ALL = StatesErrorName(StatesErrorNameType.StatesALL)
_HEARTBEAT = StatesErrorName(StatesErrorNameType.StatesHeartbeatTimeout)
_TERMINAL = tuple(
    StatesErrorName(kind)
    for kind in (StatesErrorNameType.StatesRuntime, StatesErrorNameType.StatesStatesDataLimitExceeded)
)


def install_terminal_errors() -> None:
    """Match terminal errors and missed heartbeats in Retry and Catch as AWS does.

    moto lets `States.ALL` catch errors that AWS lets only their own name catch, and has no name for a missed heartbeat.

    Where: `ErrorEqualsDecl._eval_body` in moto/stepfunctions/parser/asl/component/common/error_name/error_equals_decl.py:52, and
    `_verify_size_quota` in …/state/state.py, which asks for a result's size only after Retry and Catch. On AWS
    States.Runtime and States.DataLimitExceeded are not among `States.ALL`, and a missed heartbeat is States.HeartbeatTimeout to them.
    """
    ErrorEqualsDecl._eval_body = _eval_body  # noqa: SLF001 - as above
    for kind in (StateTask, StateTaskActivity):
        kind._from_error = _knowing_heartbeats(kind._from_error)  # noqa: SLF001 - as above
    for kind in (StateTaskService, StateTaskServiceCallback):
        kind._after_eval_execution = _measured(kind._after_eval_execution)  # noqa: SLF001 - as above


def _eval_body(rule: ErrorEqualsDecl, env: Environment) -> None:
    error = env.stack[-1]
    if error in _TERMINAL and _ALL in rule.error_names:
        env.stack[-1] = error in rule.error_names
    elif getattr(error, "is_heartbeat", False) and _HEARTBEAT in rule.error_names:
        env.stack[-1] = True
    else:
        ORIGINAL_TERMINAL_ERRORS(rule, env)


def _knowing_heartbeats(original: Callable[..., FailureEvent]) -> Callable[..., FailureEvent]:
    def from_error(state: StateTask, env: Environment, ex: Exception) -> FailureEvent:
        failure = original(state, env=env, ex=ex)
        failure.error_name.is_heartbeat = isinstance(ex, HeartbeatTimeoutError)
        return failure

    return from_error


def _measured(original: Callable[..., None]) -> Callable[..., None]:
    def after_eval_execution(state: StateTaskService, env: Environment, **named: Any) -> None:
        if len(compact(env.stack[-1]).encode()) > MAX_INPUT_BYTES:
            raise FailureEventException(_too_large(state, env))
        original(state, env=env, **named)

    return after_eval_execution


def _too_large(state: StateTaskService, env: Environment) -> FailureEvent:
    name = StatesErrorName(StatesErrorNameType.StatesStatesDataLimitExceeded)
    cause = (
        f"The state/task '{state.resource.resource_arn}' returned a result with a size exceeding "
        "the maximum number of bytes service limit."
    )
    return task_failed(state, env, name, cause)
