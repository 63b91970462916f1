"""Builds a reply from the pieces in which it streams, the same way for every provider."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from stepward.domain.conversation import (
    CallPart,
    ModelReply,
    ModelRequest,
    OpaquePart,
    ReplyPart,
    Stop,
    TextPart,
    ToolCall,
)
from stepward.domain.json_text import NotJson, fault_of, read_json
from stepward.domain.money import Usage
from stepward.models.token_counts import estimated_prompt_tokens, estimated_tokens
from stepward.ports.models import CallContext, Delta

MOST_BYTES: Final = 4_000_000
"""Twice what a run can store: an endless reply must not fill the function's memory."""
_NAME_CHARS: Final = 200
_WHOLE: Final = frozenset({"end", "tools", "pause"})
"""Stop reasons of a complete reply."""


@dataclass
class _Text:
    words: list[str] = field(default_factory=list)
    extra: dict[str, Any] | None = None


@dataclass
class _Call:
    tool: str
    fragments: list[str] = field(default_factory=list)


@dataclass
class ReplyBuilder:
    """A reply that is still coming: its blocks by their vendor's index, in order.

    `is_underway` says that the vendor is at work, so that the prompt is paid, though nothing has come of the reply.
    """

    request: ModelRequest
    call: CallContext
    is_underway: bool = False
    usage: Usage = field(default_factory=Usage)
    stop: Stop = "cut"
    request_id: str | None = None
    thought_bytes: int = 0
    came_bytes: int = 0
    _blocks: dict[object, _Text | _Call | OpaquePart] = field(default_factory=dict)

    def text(self, index: object, words: str, extra: dict[str, Any] | None = None) -> None:
        """Add text of the answer.

        What is no character is replaced, because no store would take it.
        """
        block = self._blocks.setdefault(index, _Text())
        if isinstance(block, _Text):
            clean = _clean(words)
            block.words.append(clean)
            self.came_bytes += len(clean.encode())
            block.extra = extra or block.extra
            if clean:
                self.call.on_delta(Delta("text", clean))

    def thought(self, words: str) -> None:
        """Report text of the model's thinking, which is stored by `opaque` only."""
        self.thought_bytes += len(words.encode("utf-8", "replace"))
        if words:
            self.call.on_delta(Delta("thinking", words))

    def opaque(self, index: object, vendor: str, data: dict[str, Any]) -> None:
        """Add a block that only its vendor can read."""
        self._blocks[index] = OpaquePart(vendor=vendor, data=data)

    def begin_call(self, index: object, tool: str) -> None:
        """Add the beginning of a tool call."""
        self._blocks[index] = _Call(_clean(tool))

    def arguments(self, index: object, fragment: str) -> None:
        """Add a fragment of a call's arguments."""
        block = self._blocks.get(index)
        if isinstance(block, _Call) and fragment:
            block.fragments.append(fragment)
            self.came_bytes += len(fragment.encode("utf-8", "replace"))
            self.call.on_delta(Delta("arguments", fragment))

    def all_arguments(self, index: object, text: str) -> None:
        """Set a call's arguments as a whole, in place of any fragments."""
        block = self._blocks.get(index)
        if isinstance(block, _Call):
            block.fragments = [text]

    @property
    def has_begun(self) -> bool:
        """Whether anything has come that is to be paid."""
        return self.is_underway or bool(self._blocks) or self.usage != Usage()

    @property
    def estimated_output_tokens(self) -> int:
        """How many tokens have come, by their bytes; for vendors that have not reported them."""
        came = sum(
            len(piece.encode("utf-8", "replace"))
            for block in self._blocks.values()
            for piece in _pieces(block)
        )
        return estimated_tokens(came + self.thought_bytes)

    def reply(self) -> ModelReply:
        """Build the reply from what has come; calls of an incomplete one are left out.

        A run must not act on them.
        """
        text, calls = "", list[ToolCall]()
        parts: list[ReplyPart] = []
        for block in self._blocks.values():
            match block:
                case _Text():
                    words = "".join(block.words)
                    text += words
                    if words:
                        parts.append(TextPart(chars=len(words), extra=block.extra))
                case _Call() if self.stop in _WHOLE:
                    calls.append(_read(block, f"call_{self.request.turn}_{len(calls) + 1}"))
                    parts.append(CallPart(call=calls[-1].id))
                case OpaquePart():
                    parts.append(block.model_copy(update={"data": _clean_data(block.data)}))
        return ModelReply(
            text=text,
            calls=tuple(calls),
            usage=self._counted(),
            stop="tools" if calls and self.stop == "end" else self.stop,
            parts=_needed(parts),
            request_id=_clean(self.request_id)[:_NAME_CHARS] if isinstance(self.request_id, str) else None,
        )

    def cut(self) -> ModelReply:
        """Build the reply from what came before it broke off, with an estimated length.

        Its prompt is paid even where nothing came: a vendor reads it before it answers.
        """
        self.stop = "cut"
        return self.reply().model_copy(update={"parts": ()})

    def _counted(self) -> Usage:
        """Return the vendor's count, and an estimate for each half that is missing or impossible."""
        said = self.usage
        is_short = self.stop == "cut" or not said.output_tokens
        written = max(said.output_tokens, self.estimated_output_tokens) if is_short else said.output_tokens
        found = {"output_tokens": written} if written != said.output_tokens else {}
        if not said.prompt_tokens:
            found["input_tokens"] = estimated_prompt_tokens(self.request)
        return said.model_copy(update={**found, "is_estimated": True}) if found else said

    @property
    def is_too_long(self) -> bool:
        """Whether more has come than any run stores, so that the rest need not be read."""
        return self.came_bytes + self.thought_bytes > MOST_BYTES

    def too_long(self) -> ModelReply:
        """Build the reply from what has come of one that is too long to be read to its end."""
        return self.cut().model_copy(update={"stop": "length"})


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _clean_data(data: dict[str, Any]) -> dict[str, Any]:
    """Replace what is no character, which a vendor would not accept back either."""
    found: dict[str, Any] = json.loads(_clean(json.dumps(data, ensure_ascii=False)))
    return found


def _pieces(block: _Text | _Call | OpaquePart) -> list[str]:
    if isinstance(block, OpaquePart):
        return []
    return block.words if isinstance(block, _Text) else block.fragments


def _read(call: _Call, call_id: str) -> ToolCall:
    """Parse a call's arguments; a tool without any may be sent none."""
    text = "".join(call.fragments)
    if not text.strip():
        return ToolCall(id=call_id, tool=call.tool, arguments={})
    try:
        arguments = read_json(text)
    except NotJson:
        arguments = None
    if not isinstance(arguments, dict) or fault_of(arguments):
        return ToolCall(id=call_id, tool=call.tool, arguments_text=_clean(text))
    return ToolCall(id=call_id, tool=call.tool, arguments=arguments)


def _needed(parts: list[ReplyPart]) -> tuple[ReplyPart, ...]:
    """Return the parts, or none where the order is the default: text first, then calls."""
    kinds = [part.kind for part in parts]
    is_plain = "text" not in kinds[1:] and "opaque" not in kinds
    has_extra = any(isinstance(part, TextPart) and part.extra for part in parts)
    return tuple(parts) if has_extra or not is_plain else ()
