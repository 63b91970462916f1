"""moto names an execution `None` when StartExecution gives no name, and lets two starts of one name race.

Where: `start_execution` of `StepFunctionsParserBackend` in moto/stepfunctions/parser/models.py looks for a running
execution of that name and appends the new one without a lock.
"""

from __future__ import annotations

import threading
import uuid
from typing import Any

from moto.stepfunctions.parser.models import StepFunctionsParserBackend

ORIGINAL = StepFunctionsParserBackend.start_execution
_lock = threading.Lock()


def install() -> None:
    """Name every execution and start one at a time."""
    StepFunctionsParserBackend.start_execution = _start


def _start(
    backend: Any,
    state_machine_arn: str,
    name: str | None = None,
    execution_input: Any = None,
    trace_header: Any = None,
) -> Any:
    with _lock:
        return ORIGINAL(backend, state_machine_arn, name or str(uuid.uuid4()), execution_input, trace_header)
