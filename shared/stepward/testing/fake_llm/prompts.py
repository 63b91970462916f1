"""A request in one form for all protocols, and the counting of its tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final, Literal

from stepward.domain.conversation import Exchange, ToolSchema
from stepward.domain.json_text import NotJson, read_json
from stepward.testing.fake_llm.known_models import ModelLimits

BYTES_PER_TOKEN: Final = 3.6
IMAGE_TOKENS: Final = 1_600
Ttl = Literal["5m", "30m", "1h", "12h"]


@dataclass(frozen=True)
class Piece:
    """A part of a prompt.

    `ttl` is that of a cache breakpoint after it, `size_bytes` the size of a part that is not counted by its text.
    """

    text: str
    ttl: Ttl | None = None
    size_bytes: int | None = None

    @property
    def counted_bytes(self) -> int:
        """The bytes that it counts for."""
        return len(self.text.encode()) if self.size_bytes is None else self.size_bytes


@dataclass(frozen=True)
class Prompt:
    """One model call.

    `exchanges` are the turns since the task; the results of the last one are new to the model. `thinks` says whether the reply
    may show thinking, and `shows` whether its text is shown.
    """

    model: str
    limits: ModelLimits
    input: str
    system: str = ""
    exchanges: tuple[Exchange, ...] = ()
    tools: tuple[ToolSchema, ...] = ()
    pieces: tuple[Piece, ...] = ()
    max_output_tokens: int = 1_024
    streams: bool = False
    thinks: bool = True
    shows: bool = True
    schema: dict[str, Any] | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """The number of its tokens."""
        return tokens_of_bytes(sum(piece.counted_bytes for piece in self.pieces))

    @property
    def scope(self) -> str:
        """The model, the task and the turn, to which a reply's thinking is tied."""
        return self.scope_at(len(self.exchanges))

    def scope_at(self, exchange: int) -> str:
        """Return the scope of an earlier turn's thinking, counted from 0."""
        return f"{self.model}|{self.input[:200]}|{exchange}"


def tokens_of(text: str) -> int:
    """Count a text's tokens, at 3.6 bytes per token."""
    return tokens_of_bytes(len(text.encode()))


def tokens_of_bytes(size_bytes: int) -> int:
    """Count the tokens of a number of bytes."""
    return ceil(size_bytes / BYTES_PER_TOKEN)


def canonical(value: Any) -> str:
    """Format a value independently of the order of its fields."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def image_piece(source: Any, ttl: Ttl | None = None) -> Piece:
    """Count an image by a fixed number of tokens, and not by its bytes."""
    return Piece(canonical(source), ttl, int(IMAGE_TOKENS * BYTES_PER_TOKEN))


def read_result(text: str) -> Any:
    """Parse a tool's result: JSON where it is JSON, else the text."""
    try:
        return read_json(text)
    except NotJson:
        return text


def joined(texts: Sequence[str]) -> str:
    """Join texts into one."""
    return "\n".join(texts)


def read_arguments(text: str) -> Any:
    """Parse the arguments of a call; None where they are not JSON."""
    try:
        return read_json(text)
    except NotJson:
        return None
