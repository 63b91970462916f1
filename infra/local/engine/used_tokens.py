"""moto takes a second answer for a task token, which may even replace the first, and calls tokens of ended tasks invalid.

Where: `send_task_success`, `send_task_failure` and `send_task_heartbeat` of `StepFunctionsParserBackend` in
moto/stepfunctions/parser/models.py:106-159, and `Environment.close_frame`, which ends a task whose time is over before
the thread that waits for its token has noticed. On AWS a token is answered once; afterwards, or when its task or execution has
ended, the answer is TaskTimedOut. A heartbeat of a task without HeartbeatSeconds is taken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.api import InvalidToken, TaskTimedOut
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, CallbackPoolManager
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from infra.local.engine import waiting_tasks

ORIGINAL_ADD = CallbackPoolManager.add
ORIGINAL_ADD_ACTIVITY = CallbackPoolManager.add_activity_task
ORIGINAL_CLOSE_FRAME = Environment.close_frame
ORIGINAL_INTERRUPT = CallbackEndpoint.interrupt_all
ORIGINALS = {
    name: getattr(StepFunctionsParserBackend, name) for name in ("send_task_success", "send_task_failure")
}
_GONE = "Task Timed Out: 'Provided task does not exist anymore'"
_MAX_REMEMBERED = 100_000

_issued: dict[str, None] = {}
_lock = threading.Lock()


def install() -> None:
    """Remember the tokens, and look at who waits before an answer is passed on."""
    CallbackPoolManager.add = _remembering(ORIGINAL_ADD)
    CallbackPoolManager.add_activity_task = _remembering(ORIGINAL_ADD_ACTIVITY)
    CallbackEndpoint.interrupt_all = _interrupt_all
    Environment.close_frame = _close_frame
    for name, original in ORIGINALS.items():
        setattr(StepFunctionsParserBackend, name, _once(original))
    StepFunctionsParserBackend.send_task_heartbeat = _heartbeat


def _remembering(original: Callable[..., Any]) -> Callable[..., Any]:
    def add(pool: Any, callback_id: str, *args: Any, **named: Any) -> Any:
        endpoint = original(pool, callback_id, *args, **named)
        _issued[callback_id] = None
        while len(_issued) > _MAX_REMEMBERED:
            _issued.pop(next(iter(_issued)), None)
        return endpoint

    return add


def _interrupt_all(endpoint: Any) -> None:
    endpoint.is_over = True
    ORIGINAL_INTERRUPT(endpoint)


def _close_frame(env: Any, frame: Any) -> None:
    task = frame.states.context_object.context_object_data.get("Task") or {}
    endpoint = frame.callback_pool_manager.get(task.get("Token"))
    if endpoint is not None:
        # Whoever reads in the history that the task timed out must not have an answer taken.
        with _lock:
            endpoint.is_over = True
    ORIGINAL_CLOSE_FRAME(env, frame)


def _once(original: Callable[..., Any]) -> Callable[..., Any]:
    def send(backend: Any, task_token: str, *args: Any, **named: Any) -> Any:
        # Two answers at once: the second must see the outcome of the first.
        with _lock:
            _waiting(backend, task_token)
            return original(backend, task_token, *args, **named)

    return send


def _heartbeat(backend: Any, task_token: str) -> None:
    _waiting(backend, task_token).notify_heartbeat()


def _waiting(backend: Any, token: str) -> Any:
    endpoint = waiting_tasks.find(backend, token)
    if endpoint is None and token not in _issued:
        raise InvalidToken
    if endpoint is None or endpoint.get_outcome() is not None or getattr(endpoint, "is_over", False):
        raise TaskTimedOut(_GONE, "TaskTimedOut")
    return endpoint
