"""moto's StopExecution loses error and cause, fails on an execution that has just begun, and shows RUNNING for long.

Where: `stop_execution` in moto/stepfunctions/responses.py and models.py. The status changes only when the state that
is under way has ended, which for a Task is when its function returns; AWS shows ABORTED at once.
"""

from __future__ import annotations

import time
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.stepfunctions.parser.api import ExecutionAbortedEventDetails, ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.responses import StepFunctionResponse

from infra.local.engine import execution_events, history_ends

ORIGINAL = StepFunctionResponse.stop_execution
_START_LIMIT_S = 5.0


def install() -> None:
    """Replace the API's action."""
    StepFunctionResponse.stop_execution = _stop_execution


def _stop_execution(response: Any) -> Any:
    arn, error, cause = (response._get_param(name) for name in ("executionArn", "error", "cause"))  # noqa: SLF001
    execution = response.stepfunction_backend.describe_execution(arn)
    if execution.exec_status == ExecutionStatus.RUNNING:
        _wait_until_begun(execution)
        _stop(execution, error, cause)
    return ActionResult({"stopDate": execution.stop_date})


def _stop(execution: Any, error: str | None, cause: str | None) -> None:
    told = ExecutionAbortedEventDetails(error=error, cause=cause)
    details = EventDetails(executionAbortedEventDetails=told)
    manager = execution.exec_worker.env.event_manager
    # Whoever writes the last event of the history decides: an execution that has just ended stays as it ended.
    if not history_ends.end(manager, HistoryEventType.ExecutionAborted, details):
        return
    execution.stop_date = utcnow()
    execution.error, execution.cause = error, cause
    execution.exec_status = ExecutionStatus.ABORTED
    execution.stop(stop_date=execution.stop_date, error=error, cause=cause)
    execution_events.tell_of_end(execution)


def _wait_until_begun(execution: Any) -> None:
    end_s = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < end_s and execution.exec_status == ExecutionStatus.RUNNING:
        env = execution.exec_worker.env
        if env is not None and env.is_running():
            return
        time.sleep(0.01)
