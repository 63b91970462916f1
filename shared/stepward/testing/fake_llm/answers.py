"""Build the HTTP answers: whole bodies, or events of a stream, with planned breaks."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

JSON: Final = "application/json"
SSE: Final = "text/event-stream; charset=utf-8"
EVENT_STREAM: Final = "application/vnd.amazon.eventstream"
_FRAGMENT_CHARS: Final = 9
_MOST_FRAGMENTS: Final = 400


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    `parts` are the events of a stream, or the one body; `cut` closes the connection after them, `silent` without any.
    `waits_s` has the seconds to wait before a part, by its index.
    """

    parts: tuple[bytes, ...]
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    is_stream: bool = False
    waits_s: Mapping[int, float] = field(default_factory=dict)
    cut: bool = False
    silent: bool = False


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer with one JSON document."""
    return Answer((json.dumps(body, ensure_ascii=False).encode(),), status, headers=headers or {})


def sse_event(body: Any, name: str | None = None) -> bytes:
    """Frame one server-sent event."""
    data = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    lines = [f"event: {name}"] if name else []
    return "\n".join([*lines, *(f"data: {line}" for line in data.split("\n")), "", ""]).encode()


def fragments(text: str) -> Iterator[str]:
    """Split a text as a stream does: into small pieces that end anywhere.

    A long text gets larger pieces, at most 400.
    """
    size = max(_FRAGMENT_CHARS, -(-len(text) // _MOST_FRAGMENTS))
    return (text[at : at + size] for at in range(0, len(text), size))


def middle(parts: Sequence[bytes], after_events: int | None) -> int:
    """Return the number of events before a fault."""
    return min(len(parts), len(parts) // 2 if after_events is None else after_events)


_LEAST_BYTES: Final = 16
_TEXT: Final = 7
"""The type of a header whose value is a text."""


def frame(kind: str, name: str, body: Any) -> bytes:
    """Frame one message.

    Args:
        kind: `event` or `exception`.
        name: Which one, as in `contentBlockDelta`.
        body: Its JSON.

    Returns:
        The bytes on the wire.
    """
    payload = json.dumps(body, ensure_ascii=False).encode()
    return frame_bytes(kind, name, payload)


def frame_bytes(kind: str, name: str, payload: bytes) -> bytes:
    """Frame a payload as it is."""
    headers = b"".join(
        _header(key, value)
        for key, value in (
            (f":{kind}-type", name),
            (":content-type", "application/json"),
            (":message-type", kind),
        )
    )
    total = _LEAST_BYTES + len(headers) + len(payload)
    prelude = struct.pack(">II", total, len(headers))
    head = prelude + struct.pack(">I", zlib.crc32(prelude))
    message = head + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _header(key: str, value: str) -> bytes:
    raw, text = key.encode(), value.encode()
    return struct.pack(">B", len(raw)) + raw + struct.pack(">BH", _TEXT, len(text)) + text


def whole_frames(raw: bytes) -> Iterator[bytes]:
    """Split a stream into its messages; the rest of a cut one is yielded too."""
    at = 0
    while at < len(raw):
        size = struct.unpack_from(">I", raw, at)[0] if at + 4 <= len(raw) else len(raw) - at
        size = max(size, 1)
        yield raw[at : at + size]
        at += size


def frames(raw: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield each message's kind, name and payload.

    Raises:
        ValueError: A checksum is wrong, or a message is not whole.
    """
    for message in whole_frames(raw):
        if len(message) < _LEAST_BYTES or zlib.crc32(message[:-4]) != struct.unpack(">I", message[-4:])[0]:
            raise ValueError("a message of the event stream is not whole")
        (size,) = struct.unpack_from(">I", message, 4)
        headers = dict(_headers(message[12 : 12 + size]))
        kind = headers.get(":message-type", "event")
        yield kind, headers.get(f":{kind}-type", ""), message[12 + size : -4]


def _headers(raw: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(raw):
        size = raw[at]
        key = raw[at + 1 : at + 1 + size].decode()
        kind, length = struct.unpack_from(">BH", raw, at + 1 + size)
        if kind != _TEXT:
            raise ValueError(f"the header {key} of the event stream is no text")
        start = at + 4 + size
        yield key, raw[start : start + length].decode()
        at = start + length
