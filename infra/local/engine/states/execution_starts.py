"""Patches of how executions start: names, limits of inputs, StartSyncExecution."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.stepfunctions.exceptions import ValidationException
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType, StateMachineType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.backend.execution import Execution, SyncExecution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

ORIGINAL_SYNC_EXECUTIONS = getattr(StepFunctionResponse, "start_sync_execution", None)


class OnlyExpress(JsonRESTError):  # type: ignore[misc]
    """StartSyncExecution was called for a Standard workflow, which may take a year."""

    code = 400

    def __init__(self) -> None:
        """Use AWS's code and message."""
        super().__init__(
            "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
        )


class NotJson(JsonRESTError):  # type: ignore[misc]
    """The input is not valid JSON."""

    code = 400

    def __init__(self) -> None:
        """Use AWS's code and message."""
        super().__init__("InvalidExecutionInput", "Invalid State Machine Execution Input: not valid JSON")


def install_sync_executions() -> None:
    """Add StartSyncExecution.

    moto can run an Express workflow while the caller waits, but has no StartSyncExecution.

    Where: `SyncExecution` in moto/stepfunctions/parser/backend/execution.py is used by nothing; `StepFunctionResponse` in
    moto/stepfunctions/responses.py lacks the action. Clients that put `sync-` before the host name need
    `AWS_DISABLE_HOST_PREFIX_INJECTION=true`, which functions have on the laptop.
    """
    StepFunctionResponse.start_sync_execution = _start_sync


def _start_sync(response: StepFunctionResponse) -> ActionResult:
    backend = response.stepfunction_backend
    machine = backend.describe_state_machine(response._get_param("stateMachineArn"))  # noqa: SLF001
    if machine.type != StateMachineType.EXPRESS:
        raise OnlyExpress
    name = response._get_param("name") or str(uuid.uuid4())  # noqa: SLF001
    given = response._get_param("input") or "{}"  # noqa: SLF001
    try:
        json.loads(given)
    except ValueError:
        raise NotJson from None
    execution = _execution(backend, machine, name, given)
    execution.start()
    return ActionResult(_described(execution, given))


def _execution(
    backend: StepFunctionsParserBackend, machine: StateMachine, name: str, given: str
) -> SyncExecution:
    arn = f"{machine.arn.replace(':stateMachine:', ':express:')}:{name}:{uuid.uuid4()}"
    return SyncExecution(
        name=name,
        sm_type=machine.sm_type,
        role_arn=machine.roleArn,
        exec_arn=arn,
        account_id=backend.account_id,
        region_name=backend.region_name,
        state_machine=machine,
        start_date=datetime.now(UTC),
        cloud_watch_logging_session=None,
        activity_store={},
        input_data=given,
    )


def _described(execution: SyncExecution, given: str) -> dict[str, Any]:
    took_ms = int((execution.stop_date - execution.start_date).total_seconds() * 1000)
    answer = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "startDate": execution.start_date,
        "stopDate": execution.stop_date,
        "status": execution.sync_execution_status.value,
        "input": given,
        "inputDetails": {"included": True},
        "error": execution.error,
        "cause": execution.cause,
        # Express workflows are billed by 100 ms and by 64 MB; the memory that they use is not known here.
        "billingDetails": {
            "billedMemoryUsedInMB": 64,
            "billedDurationInMilliseconds": -(-took_ms // 100) * 100,
        },
    }
    if answer["status"] == "SUCCEEDED":
        answer["output"] = json.dumps(
            execution.output, separators=(",", ":"), ensure_ascii=False, default=str
        )
        answer["outputDetails"] = {"included": True}
    return {name: value for name, value in answer.items() if value is not None}


ORIGINAL_EXECUTION_LIMITS = StepFunctionResponse.start_execution
ORIGINAL_BODY = CommonStateField._eval_body  # noqa: SLF001 - what is patched
ORIGINAL_PUBLISH = EventManager._publish_history_event  # noqa: SLF001 - as above
MAX_INPUT_BYTES = 262_144
MAX_EVENTS = 25_000
_FULL = ExecutionFailedEventDetails(
    error="States.Runtime",
    cause=f"The execution reached the maximum number of history events ({MAX_EVENTS}).",
)
_ENDS = frozenset(
    {
        HistoryEventType.ExecutionAborted,
        HistoryEventType.ExecutionSucceeded,
        HistoryEventType.ExecutionTimedOut,
    }
)


def install_execution_limits() -> None:
    """Refuse an input that is too large, and fail an execution at its 25,000th event.

    moto starts executions with any name and any input, and lets a history grow for ever.

    Where: `start_execution` in moto/stepfunctions/responses.py:249 and `EventManager._publish_history_event` in
    moto/stepfunctions/parser/asl/eval/event/event_manager.py:137. AWS refuses an input over 262,144 bytes of UTF-8, and the
    25,000th event of an execution is its failure. moto refuses an input that is not JSON without a code.
    """
    StepFunctionResponse.start_execution = _start_execution
    EventManager._publish_history_event = _publish  # noqa: SLF001 - as above
    CommonStateField._eval_body = _eval_body  # noqa: SLF001 - as above


def _start_execution(response: StepFunctionResponse) -> ActionResult:
    given = response._get_param("input") or ""  # noqa: SLF001 - moto's way to a parameter
    if len(given.encode()) > MAX_INPUT_BYTES:
        raise ValidationException(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_INPUT_BYTES}"
        )
    if name := response._get_param("name"):  # noqa: SLF001 - as above
        response.stepfunction_backend._validate_name(name)  # noqa: SLF001 - as above
    try:
        json.loads(given or "{}")
    except ValueError:
        raise NotJson from None
    return ORIGINAL_EXECUTION_LIMITS(response)


def _publish(
    manager: EventManager,
    event_id: int,
    event_type: HistoryEventType,
    event_details: EventDetails | None,
    **named: Any,
) -> None:
    if event_id >= MAX_EVENTS and event_type not in _ENDS:
        event_type = HistoryEventType.ExecutionFailed
        event_details = EventDetails(executionFailedEventDetails=_FULL)
        manager.is_full = manager.has_ended = True
    ORIGINAL_PUBLISH(manager, event_id=event_id, event_type=event_type, event_details=event_details, **named)


def _eval_body(state: CommonStateField, env: Environment) -> None:
    if getattr(env.event_manager, "is_full", False):
        name = StatesErrorName(typ=StatesErrorNameType.StatesRuntime)
        details = EventDetails(executionFailedEventDetails=_FULL)
        raise FailureEventException(FailureEvent(env, name, HistoryEventType.ExecutionFailed, details))
    ORIGINAL_BODY(state, env)


ORIGINAL_EXECUTION_NAMES = StepFunctionsParserBackend.start_execution
_names_lock = threading.Lock()


def install_execution_names() -> None:
    """Give every execution a name, and start one at a time.

    moto names an execution `None` when StartExecution gives no name, and lets two starts of one name race.

    Where: `start_execution` of `StepFunctionsParserBackend` in moto/stepfunctions/parser/models.py looks for a running
    execution of that name and appends the new one without a lock.
    """
    StepFunctionsParserBackend.start_execution = _start_named


def _start_named(
    backend: StepFunctionsParserBackend,
    state_machine_arn: str,
    name: str | None = None,
    execution_input: str | None = None,
    trace_header: str | None = None,
) -> Execution:
    with _names_lock:
        return ORIGINAL_EXECUTION_NAMES(
            backend, state_machine_arn, name or str(uuid.uuid4()), execution_input, trace_header
        )
