"""Read a request's body off the socket: nothing that a client claims about its length may hang or break the server."""

from __future__ import annotations

import re
from email.message import Message
from typing import Protocol

_DRAIN_LIMIT_BYTES = 64 * 1024 * 1024
_DRAIN_BLOCK_BYTES = 65_536
_LINE_LIMIT_BYTES = 8_192
_DECIMAL = re.compile(r"[0-9]{1,18}")
_HEXADECIMAL = re.compile(rb"[0-9a-fA-F]{1,15}")


class Stream(Protocol):
    """The reading half of a connection."""

    def read(self, size: int, /) -> bytes:
        """Read so many bytes, or fewer at the end."""

    def readline(self, limit: int, /) -> bytes:
        """Read a line with its end."""


class Malformed(Exception):
    """The client does not speak HTTP; the connection cannot be used any further."""


class TooLarge(Exception):
    """The body is over the limit; what could be read of it has been thrown away."""


def read(stream: Stream, headers: Message[str, str], limit_bytes: int) -> bytes:
    """Read the whole body."""
    told = headers.get("content-length")
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if told is not None or coding.strip().lower() != "chunked":
            raise Malformed("either a length or chunks, and no other coding")
        return _chunks(stream, limit_bytes)
    if told is None:
        return b""
    if not _DECIMAL.fullmatch(told.strip()):
        raise Malformed(f"Content-Length: {told}")
    return _exactly(stream, int(told), limit_bytes)


def _exactly(stream: Stream, length: int, limit_bytes: int) -> bytes:
    if length > limit_bytes:
        _drain(stream, length)
        raise TooLarge
    body = stream.read(length)
    if len(body) < length:
        raise Malformed("the body ended before its length")
    return body


def _drain(stream: Stream, length: int) -> None:
    # Closing with unread bytes would reset the connection before the client has read the refusal.
    left = min(length, _DRAIN_LIMIT_BYTES)
    while left > 0 and (block := stream.read(min(left, _DRAIN_BLOCK_BYTES))):
        left -= len(block)


def _chunks(stream: Stream, limit_bytes: int) -> bytes:
    body, read_bytes = bytearray(), 0
    while size := _chunk_size(_line(stream)):
        read_bytes += size
        if read_bytes > _DRAIN_LIMIT_BYTES:
            raise TooLarge
        chunk = stream.read(size)
        if len(chunk) < size or _line(stream) != b"":
            raise Malformed("a chunk ended before its size")
        if read_bytes <= limit_bytes:
            body += chunk
    while _line(stream) != b"":
        continue
    if read_bytes > limit_bytes:
        raise TooLarge
    return bytes(body)


def _chunk_size(line: bytes) -> int:
    size = line.split(b";")[0].strip()
    if not _HEXADECIMAL.fullmatch(size):
        raise Malformed("the size of a chunk is no hexadecimal number")
    return int(size, 16)


def _line(stream: Stream) -> bytes:
    line = stream.readline(_LINE_LIMIT_BYTES)
    if not line.endswith(b"\n"):
        raise Malformed("a line of the body has no end")
    return line.rstrip(b"\r\n")
