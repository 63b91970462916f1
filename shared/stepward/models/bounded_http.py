"""Bounds what a server may send in answer to one call, for every SDK that speaks over httpx2.

Nothing compressed is asked for. A server that compresses all the same is read piece by piece, so that what it sends is
bounded by what comes of it, and by what comes over the wire where nothing does.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import httpx2

MOST_ANSWER_BYTES: Final = 64_000_000
"""Several times what the longest replies take on the wire."""
MOST_LINE_BYTES: Final = 8_000_000
"""An event is one line, which SDKs keep until it ends; the longest holds a whole reply."""
MOST_ERROR_BYTES: Final = 256_000
"""Of an error's body only the beginning is read: its status says what it means."""
_PIECE_BYTES: Final = 65_536
_ZLIB_OR_GZIP: Final = 47
_PLAIN: Final = ("", "identity")
_LEAST_REFUSAL: Final = 300


class AnswerUnbounded(httpx2.ReadError):
    """A server sends more than any answer has, or an encoding that was not asked for."""


def bounded_options() -> dict[str, Any]:
    """Return the options of every SDK's HTTP client: bounds, and no redirects."""
    return {
        "follow_redirects": False,
        "headers": {"accept-encoding": "identity"},
        "event_hooks": {"response": [_bound]},
    }


async def _bound(response: httpx2.Response) -> None:
    """Bound an answer before its first byte is read."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in (*_PLAIN, "gzip", "deflate"):
        raise AnswerUnbounded(f"the answer is written in {coding[:40]!r}, which was not asked for.")
    response.headers.pop("content-encoding", None)
    response.stream = _Bounded(response, is_compressed=coding not in _PLAIN)


class _Bounded(httpx2.AsyncByteStream):
    """An answer's bytes, up to the bounds."""

    def __init__(self, response: httpx2.Response, *, is_compressed: bool) -> None:
        self._stream: Any = response.stream
        self._is_refusal = response.status_code >= _LEAST_REFUSAL
        self._unpacker = zlib.decompressobj(_ZLIB_OR_GZIP) if is_compressed else None
        self._came = self._line = self._wire = 0
        self._is_first, self._is_over = True, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes; an error's are cut."""
        async for chunk in self._stream:
            self._wire += len(chunk)
            for piece in self._unpacked(chunk):
                if self._is_refusal and max(self._came, self._wire - len(chunk)) > MOST_ERROR_BYTES:
                    return
                self._count(piece)
                yield piece
            if self._is_over:
                return

    async def aclose(self) -> None:
        """Release the connection; one that was not read to its end is closed."""
        await self._stream.aclose()

    def _unpacked(self, chunk: bytes) -> Iterator[bytes]:
        if self._unpacker is None:
            yield chunk
            return
        left, piece = chunk, b""
        while left or len(piece) == _PIECE_BYTES:
            if self._unpacker.eof:
                self._unpacker, self._is_first = zlib.decompressobj(_ZLIB_OR_GZIP), False
            try:
                piece = self._unpacker.decompress(left, _PIECE_BYTES)
            except zlib.error as error:
                self._leave(error)
                return
            left = self._unpacker.unused_data or self._unpacker.unconsumed_tail
            yield piece

    def _leave(self, error: zlib.error) -> None:
        """Stop at what cannot be decompressed.

        An answer may end before its bytes do, but not before it has begun.
        """
        if self._is_first:
            raise AnswerUnbounded(f"the answer is not written as it says: {error}.") from error
        self._is_over = True

    def _count(self, piece: bytes) -> None:
        self._came += len(piece)
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        self._line = self._line + len(piece) if end < 0 else len(piece) - end - 1
        if self._is_refusal:
            return
        if max(self._came, self._wire) > MOST_ANSWER_BYTES:
            raise AnswerUnbounded(f"the answer has more than {MOST_ANSWER_BYTES:,} bytes.")
        if self._line > MOST_LINE_BYTES:
            raise AnswerUnbounded(f"a line of the answer has more than {MOST_LINE_BYTES:,} bytes.")
