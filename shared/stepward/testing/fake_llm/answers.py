"""What goes back on the wire: a whole body, or the events of a stream, with what goes wrong on the way."""

from __future__ import annotations

import json
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
    """An HTTP answer. `parts` are the events of a stream, or the one body; `cut` closes the connection after them.

    `waits_s` is how long to wait before a part, by its place.
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
    """Answer with one JSON document."""
    return Answer((json.dumps(body, ensure_ascii=False).encode(),), status, headers=headers or {})


def sse_event(body: Any, name: str | None = None) -> bytes:
    """Frame one server-sent event."""
    data = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    lines = [f"event: {name}"] if name else []
    return "\n".join([*lines, *(f"data: {line}" for line in data.split("\n")), "", ""]).encode()


def fragments(text: str) -> Iterator[str]:
    """Cut a text as a stream brings it: in small pieces that end anywhere, but never in too many."""
    size = max(_FRAGMENT_CHARS, -(-len(text) // _MOST_FRAGMENTS))
    return (text[at : at + size] for at in range(0, len(text), size))


def middle(parts: Sequence[bytes], after_events: int | None) -> int:
    """Choose after how many events something goes wrong."""
    return min(len(parts), len(parts) // 2 if after_events is None else after_events)
