"""moto tells some failures twice, and names the newest event where AWS names the one that entered the state.

Where: `_eval_state` of `ExecutionState` (…/state/exec/execute_state.py:255) and `StateMap` (…/state_map/state_map.py:312)
in moto/stepfunctions/parser/asl/component write EvaluationFailed, and ExecutionFailed for a bad TimeoutSecondsPath or
HeartbeatSecondsPath, that are written again; `FailureEvent` in …/common/error_name/failure_event.py:24 takes the newest
event for "(entered at the event id #…)".
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)

ORIGINAL = FailureEvent.__init__
ORIGINAL_EXECUTION_FAILED = FailureEventException.get_execution_failed_event_details
ORIGINAL_EVALUATION_FAILED = FailureEventException.get_evaluation_failed_event_details
_PREFIX = "An error occurred while executing the state "


class Told(dict[str, Any]):
    """Details of a failure that is in the history already, or comes into it with the end of the program."""


def install() -> None:
    """Mark what is told, and find the event that entered the state."""
    FailureEvent.__init__ = _init
    FailureEventException.get_execution_failed_event_details = _execution_failed
    FailureEventException.get_evaluation_failed_event_details = _evaluation_failed


def is_told(details: Any) -> bool:
    """Say whether an event with these details would be a repetition."""
    return isinstance(details, dict) and any(isinstance(part, Told) for part in (details, *details.values()))


def follow_entry(env: Any, *, itself: bool) -> int:
    """Let the next event follow the one that entered the state, or the one before it; give the entry's id."""
    entered, context = entered_at(env), env.event_history_context
    if entered:
        before = env.event_manager._history_event_list[entered - 1]["previousEventId"]  # noqa: SLF001 - as below
        context.source_event_id = entered if itself else before
    return entered


def remember_entry(env: Any, entered: int) -> None:
    """Say by which event the state was entered, where the newest event does not lead back to it."""
    context = env.event_history_context
    context.entry_before = (context.source_event_id, entered)


def entered_at(env: Any) -> int:
    """Find the event that entered the state, going back from the newest event of this part of the execution."""
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


def with_state(env: Any, cause: str) -> str:
    """Say where something went wrong, as AWS says it."""
    return f"{_PREFIX}'{env.next_state_name}' (entered at the event id #{entered_at(env)}). {cause}"


def _init(failure: Any, env: Any, error_name: Any, event_type: Any, event_details: Any = None) -> None:
    if event_type == HistoryEventType.ExecutionFailed and event_details is not None:
        event_details = Told(event_details)
    ORIGINAL(failure, env, error_name, event_type, event_details)
    failure.source_event_id = entered_at(env)


def _execution_failed(exception: Any) -> Any:
    pair = exception.extract_error_cause_pair()
    if pair is not None and (pair[1] or "").startswith(_PREFIX):
        return {"error": pair[0], "cause": pair[1]}
    return ORIGINAL_EXECUTION_FAILED(exception)


def _evaluation_failed(exception: Any) -> Any:
    if is_told(exception.failure_event.event_details):
        return Told()
    return ORIGINAL_EVALUATION_FAILED(exception)
