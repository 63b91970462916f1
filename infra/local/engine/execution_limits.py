"""moto starts executions with any name and any input, and lets a history grow for ever.

Where: `start_execution` in moto/stepfunctions/responses.py:249 and `EventManager._publish_history_event` in
moto/stepfunctions/parser/asl/eval/event/event_manager.py:137. AWS refuses an input over 262,144 bytes of UTF-8, and the
25,000th event of an execution is its failure. moto refuses what is no JSON without a code.
"""

from __future__ import annotations

import json
from typing import Any

from moto.stepfunctions.exceptions import ValidationException
from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.responses import StepFunctionResponse

from infra.local.engine.sync_executions import NotJson

ORIGINAL = StepFunctionResponse.start_execution
ORIGINAL_BODY = CommonStateField._eval_body  # noqa: SLF001 - what is mended
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


def install() -> None:
    """Measure the input, count the events."""
    StepFunctionResponse.start_execution = _start_execution
    EventManager._publish_history_event = _publish  # noqa: SLF001 - as above
    CommonStateField._eval_body = _eval_body  # noqa: SLF001 - as above


def _start_execution(response: Any) -> Any:
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
    return ORIGINAL(response)


def _publish(manager: Any, event_id: int, event_type: Any, event_details: Any, **named: Any) -> None:
    if event_id >= MAX_EVENTS and event_type not in _ENDS:
        event_type = HistoryEventType.ExecutionFailed
        event_details = EventDetails(executionFailedEventDetails=_FULL)
        manager.is_full = manager.has_ended = True
    ORIGINAL_PUBLISH(manager, event_id=event_id, event_type=event_type, event_details=event_details, **named)


def _eval_body(state: Any, env: Any) -> None:
    if getattr(env.event_manager, "is_full", False):
        name = StatesErrorName(typ=StatesErrorNameType.StatesRuntime)
        details = EventDetails(executionFailedEventDetails=_FULL)
        raise FailureEventException(FailureEvent(env, name, HistoryEventType.ExecutionFailed, details))
    ORIGINAL_BODY(state, env)
