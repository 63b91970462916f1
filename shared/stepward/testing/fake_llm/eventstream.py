"""Frames messages as AWS does in `application/vnd.amazon.eventstream`: lengths, headers, payload, two checksums."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any, Final

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
    total = 16 + len(headers) + len(payload)
    prelude = struct.pack(">II", total, len(headers))
    head = prelude + struct.pack(">I", zlib.crc32(prelude))
    message = head + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _header(key: str, value: str) -> bytes:
    raw, text = key.encode(), value.encode()
    return struct.pack(">B", len(raw)) + raw + struct.pack(">BH", _TEXT, len(text)) + text
