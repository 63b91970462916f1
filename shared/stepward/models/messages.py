"""Turns a run's history into messages, in the one order that every provider takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from stepward.domain.attachments import Attachment
from stepward.domain.conversation import (
    CallPart,
    Exchange,
    ModelReply,
    ModelRequest,
    OpaquePart,
    TextPart,
    ToolCall,
    ToolResult,
)

EMPTY_INPUT: Final = "(empty)"
"""The text of an empty input, which some vendors refuse."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
NO_RESULT: Final = {"error": "ToolFailed", "detail": "the call was never made."}


@dataclass(frozen=True)
class TextBlock:
    """Plain text, with the extra data that its vendor wants back."""

    text: str
    extra: dict[str, Any] | None = None


Block = TextBlock | ToolCall | ToolResult | OpaquePart | Attachment


@dataclass(frozen=True)
class Message:
    """One message of either side."""

    role: Literal["user", "assistant"]
    blocks: tuple[Block, ...]


def conversation(request: ModelRequest, vendor: str) -> list[Message]:
    """Write a request as alternating messages that begin with the user's.

    Args:
        request: The call to make.
        vendor: Whose opaque parts are kept; those of others mean nothing to it and are left out.

    Returns:
        Messages that are never empty, with a result for every call. The same history gives the same beginning, so that a vendor's cache finds it.
    """
    words = request.input if request.input.strip() else EMPTY_INPUT
    said = [Message("user", (*request.attachments, TextBlock(words)))]
    if request.condensed:
        said.append(Message("user", (TextBlock(request.condensed),)))
    for exchange in request.history:
        said += _spoken(exchange, vendor)
    return _merged(said)


def result_text(result: ToolResult) -> str:
    """Write a result as the model reads it: a text as it is, anything else as JSON."""
    return (
        result.content if isinstance(result.content, str) else json.dumps(result.content, ensure_ascii=False)
    )


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """Return a call's arguments for the model; unreadable ones as the text that they were."""
    return {"unreadable": call.arguments_text or ""} if call.arguments is None else call.arguments


def _spoken(exchange: Exchange, vendor: str) -> Iterator[Message]:
    blocks = tuple(_blocks(exchange.reply, vendor))
    if blocks:
        yield Message("assistant", blocks)
    answers: tuple[Block, ...] = tuple(_answers(exchange))
    if exchange.note:
        answers = (*answers, TextBlock(exchange.note))
    if answers:
        yield Message("user", answers)


def _blocks(reply: ModelReply, vendor: str) -> Iterator[Block]:
    """Yield a reply's blocks in the order in which they came."""
    if not reply.parts:
        if reply.text.strip():
            yield TextBlock(reply.text)
        yield from map(_named, reply.calls)
        return
    calls, at = {call.id: _named(call) for call in reply.calls}, 0
    for part in reply.parts:
        match part:
            case TextPart():
                text, at = reply.text[at : at + part.chars], at + part.chars
                if text.strip():
                    yield TextBlock(text, part.extra)
            case CallPart():
                if part.call in calls:
                    yield calls[part.call]
            case OpaquePart() if part.vendor == vendor:
                yield part


def _named(call: ToolCall) -> ToolCall:
    """Rename a call whose tool's name a vendor would not accept back.

    Models make such names up, and their calls have failed.
    """
    if _NAME.fullmatch(call.tool):
        return call
    return call.model_copy(update={"tool": re.sub(r"[^A-Za-z0-9_-]+", "_", call.tool)[:64] or "unnamed"})


def _answers(exchange: Exchange) -> Iterator[ToolResult]:
    """Yield a result for every call: a provider refuses a history in which one is open."""
    found = {result.call: result for result in exchange.results}
    for call in exchange.reply.calls:
        yield found.get(call.id) or ToolResult(
            call=call.id, tool=call.tool, content=NO_RESULT, error="ToolFailed"
        )


def _merged(said: list[Message]) -> list[Message]:
    """Merge consecutive messages of one side."""
    merged: list[Message] = []
    for message in said:
        if merged and merged[-1].role == message.role:
            merged[-1] = Message(message.role, (*merged[-1].blocks, *message.blocks))
        else:
            merged.append(message)
    return merged
