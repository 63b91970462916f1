"""The entries of rooms: each invocation is timed, logged, and its errors leave under their own names.

This is the one place that may catch anything: what escapes a room becomes Lambda's `errorType`, by which the state
machine's Retry and Catch decide.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from stepward.domain.errors import Bug, StepwardError
from stepward.runtime.logs import logger

Q = TypeVar("Q", bound=BaseModel)
Handler = Callable[[dict[str, Any], Any], Any]


def room(doing: str) -> Callable[[Handler], Handler]:
    """Make a handler a room's entry; `doing` is the log line's message."""

    def wrap(handler: Handler) -> Handler:
        def entry(event: dict[str, Any], context: Any) -> Any:
            logger.clear_state()
            logger.append_keys(function_request_id=context.aws_request_id)
            started = time.perf_counter()
            try:
                answer = handler(event, context)
            except StepwardError as error:
                _log_failure(doing, error.code, started, event)
                raise
            except Exception as error:
                _log_failure(doing, Bug.__name__, started, event)
                raise Bug(f"{type(error).__name__}: {error}"[:1_000]) from error
            status = answer.get("statusCode", 200) if isinstance(answer, dict) else 200
            logger.info(doing, success=status < 400, duration_ms=_since(started), **_ids(event))
            return answer

        return entry

    return wrap


def task(doing: str, request: type[Q]) -> Callable[[Callable[[Q, Any], Any]], Handler]:
    """Make a handler a state machine's task: its payload is validated, its answer is plain JSON."""

    def wrap(handler: Callable[[Q, Any], Any]) -> Handler:
        @room(doing)
        def entry(event: dict[str, Any], context: Any) -> Any:
            try:
                parsed = request.model_validate(event)
            except ValidationError as error:
                raise Bug(f"the machine's payload does not fit {request.__name__}: {error}") from error
            answer = handler(parsed, context)
            return answer.model_dump(exclude_none=True) if isinstance(answer, BaseModel) else answer

        return entry

    return wrap


def time_left_s(context: Any) -> Callable[[], float]:
    """Tell how long the function may still run, in seconds."""
    return lambda: float(context.get_remaining_time_in_millis()) / 1_000


def _log_failure(doing: str, code: str, started: float, event: dict[str, Any]) -> None:
    logger.exception(doing, success=False, code=code, duration_ms=_since(started), **_ids(event))


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1_000)


def _ids(event: dict[str, Any]) -> dict[str, Any]:
    return {name: event.get(name) for name in ("tenant", "run") if isinstance(event.get(name), str)}
