"""The platform's own errors under AWS's names, which Retry and Catch match."""

from __future__ import annotations

import json
import signal

MAX_RESPONSE_BYTES = 6_291_556
"""Lambda's limit of a synchronous response (6 MB and a little, as its own message states it)."""

MAX_REQUEST_BYTES = 6_291_456


class Throttled(Exception):
    """No sandbox became free in time; callers get `TooManyRequestsException`."""


class UnknownFunction(Exception):
    """There is no function of this name; callers get `ResourceNotFoundException`."""


def _body(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


def timed_out(request_id: str, timeout_s: float) -> bytes:
    """Return Lambda's error for a function that exceeded its timeout."""
    return _body(
        "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds"
    )


def exited(request_id: str, status: int | None) -> bytes:
    """Return Lambda's error for a process that ended during an invocation."""
    return _body("Runtime.ExitError", f"RequestId: {request_id} Error: {exit_reason(status)}")


def init_timed_out(request_id: str, limit_s: float) -> bytes:
    """Return Lambda's error for a function that never became ready."""
    return _body(
        "Sandbox.Timedout", f"RequestId: {request_id} Error: Init timed out after {limit_s:.2f} seconds"
    )


def response_too_large() -> bytes:
    """Return Lambda's error for a response over its limit."""
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
    return _body("Function.ResponseSizeTooLarge", message)


def exit_reason(status: int | None) -> str:
    """Return an exit status in the words of Lambda's runtime supervisor."""
    if status is None or status == 0:
        return "Runtime exited without providing a reason"
    if status < 0:
        return f"Runtime exited with error: signal: {_signal_word(-status)}"
    return f"Runtime exited with error: exit status {status}"


def _signal_word(number: int) -> str:
    words = {signal.SIGKILL: "killed", signal.SIGTERM: "terminated", signal.SIGSEGV: "segmentation fault"}
    return words.get(signal.Signals(number), signal.Signals(number).name)


def describe(payload: bytes) -> tuple[str, str]:
    """Return the type and the message of an error payload, for one line on the console."""
    try:
        document = json.loads(payload)
    except ValueError:
        return "Error", payload[:200].decode("utf-8", "replace")
    if not isinstance(document, dict):
        return "Error", str(document)[:200]
    return str(document.get("errorType") or "Error"), str(document.get("errorMessage") or "")[:300]
