"""Decorate the handlers of functions: each invocation is timed and logged, and its errors keep their own names.

This is the one place that may catch anything: what leaves a handler becomes Lambda's `errorType`, by which the state
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


def lambda_handler(message: str) -> Callable[[Handler], Handler]:
    """Make a function the handler that Lambda calls.

    Args:
        message: What the log line of an invocation says, as "agents request served".

    Returns:
        A decorator of a function that takes Lambda's event and context.

    Raises:
        Bug: By the decorated handler, in place of an error that is not of the product's own.
    """

    def decorate(handler: Handler) -> Handler:
        def handle(event: dict[str, Any], context: Any) -> Any:
            logger.clear_state()
            logger.append_keys(function_request_id=context.aws_request_id)
            started = time.perf_counter()
            try:
                answer = handler(event, context)
            except StepwardError as error:
                _log_failure(message, error.code, started, event)
                raise
            except Exception as error:
                _log_failure(message, Bug.__name__, started, event)
                raise Bug(f"{type(error).__name__}: {error}"[:1_000]) from error
            status = answer.get("statusCode", 200) if isinstance(answer, dict) else 200
            logger.info(message, success=status < 400, duration_ms=_since(started), **_ids(event))
            return answer

        return handle

    return decorate


def task_handler(message: str, request: type[Q]) -> Callable[[Callable[[Q, Any], Any]], Handler]:
    """Make a function the handler of a state machine's task, with a typed payload.

    Args:
        message: What the log line of an invocation says, as "run advanced".
        request: The model by which the payload is validated.

    Returns:
        A decorator of a function that takes the request and Lambda's context; a model that it returns becomes JSON.

    Raises:
        Bug: By the decorated handler, where the machine sends what the model does not take.
    """

    def decorate(handler: Callable[[Q, Any], Any]) -> Handler:
        @lambda_handler(message)
        def handle(event: dict[str, Any], context: Any) -> Any:
            try:
                parsed = request.model_validate(event)
            except ValidationError as error:
                raise Bug(f"the machine's payload does not fit {request.__name__}: {error}") from error
            answer = handler(parsed, context)
            return answer.model_dump(exclude_none=True) if isinstance(answer, BaseModel) else answer

        return handle

    return decorate


room, task = lambda_handler, task_handler
"""The names of both in folders that earlier releases have made."""


def time_left_s(context: Any) -> Callable[[], float]:
    """Return a function that says how long the invocation may still run, in seconds.

    Args:
        context: Lambda's context of the invocation.
    """
    return lambda: float(context.get_remaining_time_in_millis()) / 1_000


def _log_failure(message: str, code: str, started: float, event: dict[str, Any]) -> None:
    logger.exception(message, success=False, code=code, duration_ms=_since(started), **_ids(event))


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1_000)


def _ids(event: dict[str, Any]) -> dict[str, Any]:
    return {name: event.get(name) for name in ("tenant", "run") if isinstance(event.get(name), str)}
