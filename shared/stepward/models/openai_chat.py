"""Chat Completions by OpenAI's official SDK, for compatible servers.

They are vLLM, Ollama, llama.cpp, OpenRouter and many more. OpenAI's own models, and Azure's, are better called by the
Responses API, which gives their reasoning back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stepward.domain.attachments import Attachment
from stepward.domain.conversation import ModelRequest, Stop, ToolCall, ToolResult, ToolSchema
from stepward.domain.money import Usage
from stepward.models.attachments import data_url, name_of, text_of
from stepward.models.chat_calls import CallPieces
from stepward.models.messages import Message, TextBlock, arguments_of, conversation, result_text
from stepward.models.openai_sdk import (
    begun,
    caching,
    client_for,
    effort_of,
    format_of,
    function_of,
    sampling,
    usage_of,
)
from stepward.models.reply_builder import ReplyBuilder
from stepward.models.sdk_calls import Reading, SdkCall, SdkClient
from stepward.models.token_counts import reported_tokens
from stepward.ports.models import CallContext

VENDOR: Final = "openai-chat"
_STOPS: Final[Mapping[str, Stop]] = {
    "stop": "end",
    "tool_calls": "tools",
    "function_call": "tools",
    "length": "length",
    "content_filter": "filtered",
}


class OpenAiChat(SdkClient):
    """Calls models of compatible servers."""

    def begin(self, request: ModelRequest, call: CallContext) -> SdkCall:
        """Load the SDK and start the call."""
        body = _body(request, call)
        opening = client_for(call).chat.completions.create(**body, stream=True)
        return begun(request, call, opening, _Reading(ReplyBuilder(request, call)))


class _Reading(Reading):
    """Puts the chunks of one stream together."""

    def __init__(self, builder: ReplyBuilder) -> None:
        super().__init__(builder)
        self._pieces = CallPieces()
        self._counted: Usage | None = None
        self._is_refused = False

    def take(self, event: Any) -> None:
        """Take in one chunk."""
        # A stream that breaks off has no count, and yet the prompt is paid.
        self.builder.is_underway = True
        # Compatible servers seldom name a call in a header.
        self.builder.request_id = self.builder.request_id or event.id
        if event.usage and (counted := _usage(event.usage)) != Usage():
            self._counted = self.builder.usage = counted
        for choice in event.choices or ():
            if choice.delta:
                self._piece(choice.delta)
            if choice.finish_reason:
                self._stop(choice.finish_reason)

    def _piece(self, delta: Any) -> None:
        # Shown and not sent back: some of the servers that give it refuse to take it.
        thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
        if isinstance(thought, str):
            self.builder.thought(thought)
        if delta.content:
            self.builder.text("text", _words(delta.content))
        if delta.refusal:
            self._is_refused = True
            self.builder.text("refusal", delta.refusal)
        for said in delta.tool_calls or ():
            self._call(said)

    def _call(self, said: Any) -> None:
        piece = self._pieces.place(said)
        if piece is None:
            return
        if piece.begins:
            self.builder.begin_call(piece.number, piece.tool)
        self.builder.arguments(piece.number, piece.arguments)

    def _stop(self, reason: str) -> None:
        # An end that this release does not know must not pass for a whole answer.
        stop = _STOPS.get(reason, "filtered")
        self.builder.stop = "refused" if self._is_refused and stop == "end" else stop
        self.is_whole = True

    def end(self, headers: Mapping[str, str]) -> None:
        """Complete the reply of a server that gives no stop reason.

        It is complete where the transfer is framed, for then one that breaks off is an error of its own; and where the count
        came, which is the last that a server sends.
        """
        if (
            self.builder.estimated_output_tokens
            and not self.is_whole
            and (self._counted or _is_framed(headers))
        ):
            self._stop("stop")


def _is_framed(headers: Mapping[str, str]) -> bool:
    return "chunked" in headers.get("transfer-encoding", "") or "content-length" in headers


def _words(content: Any) -> str:
    """Return an answer's text; some servers send it in parts, with the thinking among them."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))


def _usage(said: Any) -> Usage:
    """Read a count of tokens.

    Some servers leave what the model thought out of the completion's tokens, but not out of the total.
    """
    written, total = reported_tokens(said.completion_tokens), reported_tokens(said.total_tokens)
    written = max(written, total - reported_tokens(said.prompt_tokens))
    return usage_of(said.prompt_tokens, written, said.prompt_tokens_details, said.completion_tokens_details)


def _body(request: ModelRequest, call: CallContext) -> dict[str, Any]:
    """Write the request; what does not change between turns stays equal to the byte."""
    can = call.capabilities
    # Compatible servers all take the old name; OpenAI's reasoning models take the new one alone.
    longest = "max_completion_tokens" if can.thinks else "max_tokens"
    body: dict[str, Any] = {
        "model": call.vendor_model or request.model,
        "messages": [{"role": "system", "content": request.prompt}, *_messages(request, call)],
        longest: request.max_output_tokens,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        body["tools"] = [{"type": "function", "function": _function(tool, call)} for tool in request.tools]
        if can.parallel_tools:
            body["parallel_tool_calls"] = True
    if request.output_schema and can.structured_output:
        body["response_format"] = {"type": "json_schema", "json_schema": format_of(request)}
    effort = effort_of(request, call)
    thinking = {"reasoning_effort": effort} if effort else {}
    return body | thinking | sampling(request, call) | caching(request, call)


def _function(tool: ToolSchema, call: CallContext) -> dict[str, Any]:
    """Write a tool; `strict` only where it is true, because not every server knows it."""
    said = function_of(tool, call)
    return said if said["strict"] else {name: value for name, value in said.items() if name != "strict"}


def _messages(request: ModelRequest, call: CallContext) -> Iterator[dict[str, Any]]:
    for message in conversation(request, VENDOR):
        yield from _said_by_model(message) if message.role == "assistant" else _said_to_model(message, call)


def _said_by_model(message: Message) -> Iterator[dict[str, Any]]:
    calls = [_call(block) for block in message.blocks if isinstance(block, ToolCall)]
    text = _joined(message)
    if text or calls:
        yield {
            "role": "assistant",
            "content": text or None,
            **({"tool_calls": calls} if calls else {}),
        }


def _said_to_model(message: Message, call: CallContext) -> Iterator[dict[str, Any]]:
    """Write the results, then all text as one message.

    The templates of many models take no two messages of one side in a row.
    """
    for block in message.blocks:
        if isinstance(block, ToolResult):
            yield {"role": "tool", "tool_call_id": block.call, "content": result_text(block)}
    text = _joined(message)
    files = [_file(block, call) for block in message.blocks if isinstance(block, Attachment)]
    if text:
        yield {"role": "user", "content": [*files, {"type": "text", "text": text}] if files else text}


def _file(attachment: Attachment, call: CallContext) -> dict[str, Any]:
    if attachment.is_image:
        return {"type": "image_url", "image_url": {"url": data_url(attachment, call)}}
    name = name_of(attachment)
    if attachment.is_text:
        return {"type": "text", "text": f"{name}:\n\n{text_of(attachment, call)}"}
    return {"type": "file", "file": {"filename": name, "file_data": data_url(attachment, call)}}


def _joined(message: Message) -> str:
    return "\n\n".join(block.text for block in message.blocks if isinstance(block, TextBlock))


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(arguments_of(call), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.tool, "arguments": arguments}}
