"""moto goes on writing a history after its end, and lets the worker of a stopped execution overwrite its status.

Where: `EventManager.add_event` in moto/stepfunctions/parser/asl/eval/event/event_manager.py:77 takes events for ever;
`_reflect_execution_status` in moto/stepfunctions/parser/backend/execution.py:70 turns ABORTED into FAILED when a state
breaks over the stop; `Program.eval` in moto/stepfunctions/parser/asl/component/program/program.py:70 writes
ExecutionTimedOut only when the state that is under way has ended. Events of iterations and branches that were given up
come late, too.
"""

from __future__ import annotations

import threading
from typing import Any

from moto.stepfunctions.parser.api import (
    ExecutionStatus,
    ExecutionTimedOutEventDetails,
    HistoryEventType,
)
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext, EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramTimedOut
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication

from infra.local.engine import failure_events

ORIGINAL = EventManager.add_event
ORIGINAL_EVAL = Program.eval
ORIGINAL_REFLECT = BaseExecutionWorkerCommunication._reflect_execution_status  # noqa: SLF001 - what is mended

_ENDS = frozenset(
    {
        HistoryEventType.ExecutionAborted,
        HistoryEventType.ExecutionFailed,
        HistoryEventType.ExecutionSucceeded,
        HistoryEventType.ExecutionTimedOut,
    }
)
_lock = threading.RLock()


def install() -> None:
    """Replace all three."""
    EventManager.add_event = _add_event
    Program.eval = _eval
    BaseExecutionWorkerCommunication._reflect_execution_status = _reflect  # noqa: SLF001 - as above


def end(manager: Any, kind: HistoryEventType, details: EventDetails, previous: int = 0) -> bool:
    """Write the last event from outside the program; False if the history had ended before."""
    with _lock:
        if getattr(manager, "has_ended", False):
            return False
        manager.add_event(context=EventHistoryContext(previous), event_type=kind, event_details=details)
        return True


def give_up(env: Any) -> None:
    """Let nothing more of this part of an execution into the history."""
    env.event_history_context.is_given_up = True
    for frame in list(env._frames):  # noqa: SLF001 - the tree of frames has no other door
        give_up(frame)


def _add_event(
    manager: Any, context: Any, event_type: Any, event_details: Any = None, *args: Any, **named: Any
) -> int:
    with _lock:
        is_over = getattr(manager, "has_ended", False) or getattr(context, "is_given_up", False)
        if is_over or failure_events.is_told(event_details):
            return int(context.source_event_id)
        if event_type in _ENDS:
            manager.has_ended = True
        event_id: int = ORIGINAL(manager, context, event_type, event_details, *args, **named)
        return event_id


def _eval(program: Any, env: Any) -> None:
    ORIGINAL_EVAL(program, env)
    if isinstance(env.program_state(), ProgramTimedOut) and not env.is_frame():
        manager = env.event_manager
        previous = len(manager.get_event_history())
        details = EventDetails(executionTimedOutEventDetails=ExecutionTimedOutEventDetails())
        end(manager, HistoryEventType.ExecutionTimedOut, details, previous)


def _reflect(communication: Any) -> None:
    if communication.execution.exec_status != ExecutionStatus.ABORTED:
        ORIGINAL_REFLECT(communication)
