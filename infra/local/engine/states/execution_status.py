"""Patches of what AWS reports of executions: DescribeExecution and status-change events."""

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
    """Describe an execution as AWS does: output as JSON text, end, redrive status.

    moto's DescribeExecution shows a string output bare, spaces out JSON, and has no end for what timed out.

    Where: `describe_execution` in moto/stepfunctions/responses.py:287. On AWS `output` is always compact JSON text, so
    that a string has its quotes; a timed out execution has a `stopDate`; the redrive status is included.
    """
    StepFunctionResponse.describe_execution = _describe


def _redrive(status: str) -> dict[str, Any]:
    """Return the fields about redrives of an execution that was not redriven."""
    if status in _REDRIVABLE:
        return {"redriveCount": 0, "redriveStatus": "REDRIVABLE"}
    reason = f"Execution is {status} and cannot be redriven"
    return {"redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}


def _describe(response: StepFunctionResponse) -> ActionResult:
    description = ORIGINAL_EXECUTION_OUTPUTS(response).result
    execution = response.stepfunction_backend.describe_execution(description["executionArn"])
    description["inputDetails"] = {"included": True}
    if description["status"] == ExecutionStatus.SUCCEEDED.value:
        description["output"] = to_json_str(execution.output, separators=(",", ":"))
    description |= _redrive(description["status"])
    if description["status"] != ExecutionStatus.RUNNING.value:
        description["stopDate"] = execution.stop_date
    return ActionResult(description)


ORIGINAL_EXECUTION_EVENTS = Execution.start
ORIGINAL_TERMINATED = BaseExecutionWorkerCommunication.terminated
Listener = Callable[[Execution], None]
_listeners: list[Listener] = []
_events_lock = threading.Lock()


def bind(listener: Listener | None) -> None:
    """Notify a listener of later starts and ends of executions; None removes it."""
    _listeners[:] = [] if listener is None else [listener]


def install_execution_events() -> None:
    """Notify the listener when an execution starts or ends.

    moto publishes no status-change events of Step Functions, which everything that watches executions needs.

    Where: `Execution.start` and `BaseExecutionWorkerCommunication.terminated` in
    moto/stepfunctions/parser/backend/execution.py. Fields as in "Step Functions event detail" of the Step Functions guide;
    Express workflows publish none on AWS either.
    """
    Execution.start = _start_and_notify
    BaseExecutionWorkerCommunication.terminated = _terminated


def notify_end(execution: Execution) -> None:
    """Notify once of the end of an execution, however many threads notice it."""
    with _events_lock:
        if getattr(execution, "end_is_notified", False):
            return
        execution.end_is_notified = True
    _notify(execution)


def _start_and_notify(execution: Execution) -> None:
    # Notify before it runs, or an execution of a millisecond would end before it began. The status is not set yet.
    execution.exec_status = ExecutionStatus.RUNNING
    _notify(execution)
    ORIGINAL_EXECUTION_EVENTS(execution)


def _terminated(communication: BaseExecutionWorkerCommunication) -> None:
    ORIGINAL_TERMINATED(communication)
    notify_end(communication.execution)


def _notify(execution: Execution) -> None:
    if _listeners and execution.state_machine.type != StateMachineType.EXPRESS:
        _listeners[0](execution)
