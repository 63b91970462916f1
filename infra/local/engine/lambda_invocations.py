"""moto runs functions in Docker containers, so every invocation is led into the executor instead.

`LambdaFunction.invoke` (moto/awslambda/models.py) is the one place that the Lambda API, Step Functions, S3 and the
other services all pass. As shipped it also runs `Event` invocations in the caller's time, never retries them, and
calls every function error `Handled`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from moto.awslambda import models
from moto.awslambda.exceptions import LambdaClientError

from infra.local.executor import Executor, Throttled
from infra.local.executor.faults import MAX_REQUEST_BYTES, UnknownFunction

Acceptor = Callable[[Any, bytes], None]
"""Takes moto's function and an event that nobody waits for."""

_current: list[Executor] = []
_acceptors: list[Acceptor] = []


class TooManyRequests(LambdaClientError):  # type: ignore[misc]
    """What Lambda answers when no sandbox is free: Step Functions calls it Lambda.TooManyRequestsException."""

    code = 429

    def __init__(self) -> None:
        """Use Lambda's own words."""
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class RequestTooLarge(LambdaClientError):  # type: ignore[misc]
    """What Lambda answers to an event over 6 MB."""

    code = 413

    def __init__(self, size_bytes: int) -> None:
        """Name the size and the limit."""
        super().__init__(
            "RequestTooLargeException",
            f"{size_bytes} byte payload is too large for the event (limit {MAX_REQUEST_BYTES})",
        )


class NothingToRun(LambdaClientError):  # type: ignore[misc]
    """What is answered for a function without code, or with code that is not Python."""

    code = 502

    def __init__(self, name: str) -> None:
        """Say what the laptop can run."""
        super().__init__("InvalidRuntimeException", f"{name}: the laptop runs uploaded Python code only.")


def bind(executor: Executor | None) -> None:
    """Lead invocations to this executor from now on."""
    _current[:] = [] if executor is None else [executor]


def bind_events(acceptor: Acceptor | None) -> None:
    """Give asynchronous invocations to this acceptor from now on."""
    _acceptors[:] = [] if acceptor is None else [acceptor]


def bound() -> Executor | None:
    """Give what runs the functions now, if a laptop runs."""
    return _current[0] if _current else None


def install() -> None:
    """Replace moto's way of running a function."""
    models.LambdaFunction.invoke = _invoke


def _invoke(
    function: Any, body: str | bytes, request_headers: Mapping[str, str], response_headers: dict[str, str]
) -> bytes:
    payload = body.encode() if isinstance(body, str) else (body or b"{}")
    if len(payload) > MAX_REQUEST_BYTES:
        raise RequestTooLarge(len(payload))
    kind = request_headers.get("x-amz-invocation-type") or "RequestResponse"
    if kind == "DryRun":
        return b""
    if kind == "Event":
        for accept in _acceptors:
            accept(function, payload or b"{}")
        return b""
    return _run_now(function.function_name, payload or b"{}", response_headers)


def _run_now(name: str, payload: bytes, response_headers: dict[str, str]) -> bytes:
    try:
        result = _executor().invoke(name, payload)
    except Throttled:
        raise TooManyRequests from None
    except UnknownFunction:
        raise NothingToRun(name) from None
    response_headers["x-amz-executed-version"] = "$LATEST"
    response_headers["x-amz-log-result"] = base64.b64encode(result.log_tail.encode()[-4096:]).decode()
    if result.function_error:
        response_headers["x-amz-function-error"] = result.function_error
    return result.payload


def _executor() -> Executor:
    executor = bound()
    if executor is None:
        raise LambdaClientError("ServiceException", "no laptop is running in this process")
    return executor
