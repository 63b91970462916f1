"""Play faults: errors in place of a reply, and answers that break on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from stepward.testing.fake_llm.answers import EVENT_STREAM, Answer, frame_bytes, middle
from stepward.testing.fake_llm.replies import REFUSED, Fault, Kind, Refusal

_HTML: Final = (
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)
_NO_JSON: Final = b'{"unreadable": ,'
_HANG_S: Final = 30.0
_SLOW_S: Final = 0.2
_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "400": ("invalid", "The request was refused, as its script says."),
    "401": ("unauthorized", "The key was refused, as the script says."),
    "403": ("forbidden", "Your API key does not have permission to use the specified resource."),
    "408": ("late", "The request timed out."),
    "409": ("conflict", "The request conflicts with another one."),
    "413": ("large", "Request exceeds the maximum size"),
    "429": ("throttled", "This request would exceed your rate limit. Please try again later."),
    "quota": ("quota", "Your credit balance is too low to access the API."),
    "500": ("failed", "Internal server error"),
    "503": ("unavailable", "The service is temporarily unavailable."),
    "504": ("late", "The request timed out at the provider."),
    "529": ("overloaded", "Overloaded"),
}
OVERLOADED: Final = Refusal("Overloaded", "overloaded")


def refusal_of(fault: Fault) -> Refusal | None:
    """Return the error that replaces a reply; None for faults of another kind."""
    if fault.name not in _KINDS:
        return None
    kind, message = _KINDS[fault.name]
    return Refusal(message, kind, headers=_headers(fault))


def html_page(fault: Fault) -> Answer | None:
    """Return the HTML page that replaces a reply; None for other faults."""
    if fault.name not in ("html", "html_ok"):
        return None
    return Answer((_HTML,), 502 if fault.name in REFUSED else 200, "text/html", _headers(fault))


def _headers(fault: Fault) -> dict[str, str]:
    should = fault.should_retry if fault.should_retry is not None else (fault.name == "503" or None)
    waits = fault.retry_after_s if fault.retry_after_s is not None else None
    if waits is None and fault.retry_after_ms is None and fault.name == "429":
        waits = 1
    headers = {
        "retry-after": waits,
        "retry-after-ms": fault.retry_after_ms,
        "x-should-retry": None if should is None else str(should).lower(),
    }
    return {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in headers.items()
        if value is not None
    }


def broken(answer: Answer, fault: Fault, error_event: Callable[[], bytes]) -> Answer:
    """Break an answer on its way.

    Args:
        answer: The whole answer.
        fault: The fault to play.
        error_event: Returns an error in the middle of a stream.

    Returns:
        The answer that is sent.
    """
    parts = answer.parts if answer.is_stream else _halves(answer.parts[0])
    at = middle(parts, fault.after_events)
    match fault.name:
        case "hang":
            change: dict[str, Any] = {"silent": True, "waits_s": {0: _seconds(fault, _HANG_S)}}
        case "slow":
            waits_s = dict.fromkeys(range(len(parts)), _seconds(fault, _SLOW_S))
            change = {"parts": parts, "waits_s": waits_s}
        case "stall":
            change = {"parts": parts[:at], "waits_s": {at: _seconds(fault, _HANG_S)}, "cut": True}
        case "cut":
            change = {"parts": parts[:at], "cut": True}
        case "stream_error":
            change = {"parts": (*parts[:at], error_event())}
        case "malformed_json":
            change = {"parts": (*parts[:at], _unreadable(parts[:at], answer), *parts[at:])}
        case _:
            change = {}
    return replace(answer, **change)


def _halves(body: bytes) -> tuple[bytes, ...]:
    half = max(1, len(body) // 2)
    return (body[:half], body[half:])


def _unreadable(before: tuple[bytes, ...], answer: Answer) -> bytes:
    """Return text that is not JSON, framed as the event before it is."""
    if not answer.is_stream or not before:
        return _NO_JSON
    if answer.content_type == EVENT_STREAM:
        return frame_bytes("event", "contentBlockDelta", _NO_JSON)
    name = before[-1].partition(b"\ndata:")[0] if before[-1].startswith(b"event:") else b""
    return (name + b"\n" if name else b"") + b"data: " + _NO_JSON + b"\n\n"


def _seconds(fault: Fault, default_s: float) -> float:
    return default_s if fault.seconds is None else fault.seconds
