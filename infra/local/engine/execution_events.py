"""moto publishes no status-change events of Step Functions, on which everything is built that watches executions.

Where: `Execution.start` and `BaseExecutionWorkerCommunication.terminated` in
moto/stepfunctions/parser/backend/execution.py. Fields as in "Step Functions event detail" of the Step Functions guide;
Express workflows publish none on AWS either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus, StateMachineType
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution

ORIGINAL = Execution.start
ORIGINAL_TERMINATED = BaseExecutionWorkerCommunication.terminated

Listener = Callable[[Any], None]

_listeners: list[Listener] = []
_lock = threading.Lock()


def bind(listener: Listener | None) -> None:
    """Tell this listener of every execution that starts or ends from now on."""
    _listeners[:] = [] if listener is None else [listener]


def install() -> None:
    """Stand behind the start and the end of an execution."""
    Execution.start = _start
    BaseExecutionWorkerCommunication.terminated = _terminated


def tell_of_end(execution: Any) -> None:
    """Tell once that an execution has ended, whoever notices first."""
    with _lock:
        if getattr(execution, "end_is_told", False):
            return
        execution.end_is_told = True
    _tell(execution)


def _start(execution: Any) -> None:
    # Told before it runs, or an execution of a millisecond would end before it began. The status is not set yet.
    execution.exec_status = ExecutionStatus.RUNNING
    _tell(execution)
    ORIGINAL(execution)


def _terminated(communication: Any) -> None:
    ORIGINAL_TERMINATED(communication)
    tell_of_end(communication.execution)


def _tell(execution: Any) -> None:
    if _listeners and execution.state_machine.type != StateMachineType.EXPRESS:
        _listeners[0](execution)
