"""What is told of executions: their outputs, and the events of their status."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionStatus, StateMachineType
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.responses import StepFunctionResponse

_REDRIVABLE = frozenset({"ABORTED", "FAILED", "TIMED_OUT"})


ORIGINAL_EXECUTION_OUTPUTS = StepFunctionResponse.describe_execution


def install_execution_outputs() -> None:
    """Replace the API's action.

    moto's DescribeExecution shows a string output bare, spaces out JSON, and has no end for what timed out.

    Where: `describe_execution` in moto/stepfunctions/responses.py:287. On AWS `output` is always compact JSON text, so
    that a string comes with its quotes; a timed out execution has a `stopDate`; whether it can be redriven is said.
    """
    StepFunctionResponse.describe_execution = _describe


def _redrive(status: str) -> dict[str, Any]:
    """Say that nothing was redriven, and what could be, as AWS does of an execution that is not too old."""
    if status in _REDRIVABLE:
        return {"redriveCount": 0, "redriveStatus": "REDRIVABLE"}
    reason = f"Execution is {status} and cannot be redriven"
    return {"redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}


def _describe(response: Any) -> Any:
    told = ORIGINAL_EXECUTION_OUTPUTS(response).result
    execution = response.stepfunction_backend.describe_execution(told["executionArn"])
    told["inputDetails"] = {"included": True}
    if told["status"] == ExecutionStatus.SUCCEEDED.value:
        told["output"] = to_json_str(execution.output, separators=(",", ":"))
    told |= _redrive(told["status"])
    if told["status"] != ExecutionStatus.RUNNING.value:
        told["stopDate"] = execution.stop_date
    return ActionResult(told)


ORIGINAL_EXECUTION_EVENTS = Execution.start


ORIGINAL_TERMINATED = BaseExecutionWorkerCommunication.terminated


Listener = Callable[[Any], None]


_listeners: list[Listener] = []


_events_lock = threading.Lock()


def bind(listener: Listener | None) -> None:
    """Tell this listener of every execution that starts or ends from now on."""
    _listeners[:] = [] if listener is None else [listener]


def install_execution_events() -> None:
    """Stand behind the start and the end of an execution.

    moto publishes no status-change events of Step Functions, on which everything is built that watches executions.

    Where: `Execution.start` and `BaseExecutionWorkerCommunication.terminated` in
    moto/stepfunctions/parser/backend/execution.py. Fields as in "Step Functions event detail" of the Step Functions guide;
    Express workflows publish none on AWS either.
    """
    Execution.start = _start_and_tell
    BaseExecutionWorkerCommunication.terminated = _terminated


def tell_of_end(execution: Any) -> None:
    """Tell once that an execution has ended, whoever notices first."""
    with _events_lock:
        if getattr(execution, "end_is_told", False):
            return
        execution.end_is_told = True
    _tell(execution)


def _start_and_tell(execution: Any) -> None:
    # Told before it runs, or an execution of a millisecond would end before it began. The status is not set yet.
    execution.exec_status = ExecutionStatus.RUNNING
    _tell(execution)
    ORIGINAL_EXECUTION_EVENTS(execution)


def _terminated(communication: Any) -> None:
    ORIGINAL_TERMINATED(communication)
    tell_of_end(communication.execution)


def _tell(execution: Any) -> None:
    if _listeners and execution.state_machine.type != StateMachineType.EXPRESS:
        _listeners[0](execution)
