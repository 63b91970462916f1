"""Anthropic's Messages API by its official SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from stepward.domain.attachments import Attachment
from stepward.domain.conversation import ModelRequest, OpaquePart, Stop, ToolCall, ToolResult
from stepward.domain.money import Usage
from stepward.models.attachments import base64_of, name_of, text_of
from stepward.models.messages import Block, Message, TextBlock, arguments_of, conversation, result_text
from stepward.models.reply_builder import ReplyBuilder
from stepward.models.sdk_calls import CONNECT_S, Reading, SdkCall, SdkClient, keyed_client
from stepward.models.strict_schemas import closed
from stepward.models.token_counts import reported_tokens
from stepward.ports.models import CallContext

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

VENDOR: Final = "anthropic"
_STOPS: Final[Mapping[str | None, Stop]] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "max_tokens": "length",
    "pause_turn": "pause",
    "refusal": "refused",
    "model_context_window_exceeded": "context",
}
_THOUGHTS: Final = frozenset({"thinking", "redacted_thinking"})


class AnthropicMessages(SdkClient):
    """Calls Anthropic's models."""

    def begin(self, request: ModelRequest, call: CallContext) -> SdkCall:
        """Load the SDK and start the call."""
        import anthropic  # noqa: PLC0415  only who calls this provider loads its SDK

        client = keyed_client(VENDOR, call, lambda key: _connected(key, call.access.url))
        opening = client.messages.create(**_body(request, call), stream=True)
        reading = _Reading(ReplyBuilder(request, call))
        return SdkCall(anthropic, "request-id", request, call, opening, reading)


class _Reading(Reading):
    """Puts the events of one stream together."""

    def __init__(self, builder: ReplyBuilder) -> None:
        super().__init__(builder)
        self._thoughts: dict[int, dict[str, Any]] = {}

    def take(self, event: Any) -> None:
        """Take in one event; unknown kinds are ignored."""
        match event.type:
            case "message_start":
                self.builder.usage = _usage(self.builder.usage, event.message.usage)
            case "content_block_start":
                self._begin(event.index, event.content_block)
            case "content_block_delta":
                self._piece(event.index, event.delta)
            case "content_block_stop" if event.index in self._thoughts:
                self.builder.opaque(event.index, VENDOR, self._thoughts.pop(event.index))
            case "message_delta":
                self.builder.usage = _usage(self.builder.usage, event.usage)
                # An end that this release does not know must not pass for a whole answer.
                self.builder.stop = _STOPS.get(event.delta.stop_reason, "filtered")
            case "message_stop":
                self.is_whole = self.builder.stop != "cut"

    def _begin(self, index: int, block: Any) -> None:
        if block.type == "tool_use":
            self.builder.begin_call(index, block.name)
            if block.input:
                self.builder.all_arguments(index, json.dumps(block.input))
        elif block.type == "text":
            self.builder.text(index, block.text)
        elif block.type in _THOUGHTS:
            self._thoughts[index] = block.model_dump(exclude_none=True)
            self.builder.opaque(index, VENDOR, self._thoughts[index])

    def _piece(self, index: int, delta: Any) -> None:
        thought = self._thoughts.get(index)
        if delta.type == "text_delta":
            self.builder.text(index, delta.text)
        elif delta.type == "input_json_delta":
            self.builder.arguments(index, delta.partial_json)
        elif delta.type == "thinking_delta" and thought is not None:
            thought["thinking"] = thought.get("thinking", "") + delta.thinking
            self.builder.thought(delta.thinking)
        elif delta.type == "signature_delta" and thought is not None:
            thought["signature"] = thought.get("signature", "") + delta.signature


def _usage(before: Usage, said: Any) -> Usage:
    """Read a count of tokens, which a later event replaces where it repeats it.

    A later one has the sums so far, and leaves out what it does not repeat, or says 0. Anthropic counts tokens that its
    cache gave and took apart from `input_tokens`, as we do.
    """
    kept = getattr(said, "cache_creation", None)
    hour = reported_tokens(kept.ephemeral_1h_input_tokens if kept else None) or before.cache_write_1h_tokens
    kept_before = before.cache_write_tokens + before.cache_write_1h_tokens
    written = max(kept_before, reported_tokens(said.cache_creation_input_tokens))
    details, output = said.output_tokens_details, reported_tokens(said.output_tokens)
    thought = reported_tokens(details.thinking_tokens) if details else before.reasoning_tokens
    return Usage(
        input_tokens=max(before.input_tokens, reported_tokens(said.input_tokens)),
        output_tokens=output,
        cache_read_tokens=max(before.cache_read_tokens, reported_tokens(said.cache_read_input_tokens)),
        cache_write_tokens=max(0, written - hour),
        cache_write_1h_tokens=hour,
        reasoning_tokens=min(output, thought),
    )


def _connected(key: str, url: str | None) -> AsyncAnthropic:
    """Make a client that neither retries nor follows redirects by itself."""
    from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient, Timeout  # noqa: PLC0415

    from stepward.models.bounded_http import bounded_options  # noqa: PLC0415

    return AsyncAnthropic(
        api_key=key,
        base_url=url or "https://api.anthropic.com",
        max_retries=0,
        timeout=Timeout(None, connect=CONNECT_S),
        http_client=DefaultAsyncHttpxClient(**bounded_options()),
    )


def _body(request: ModelRequest, call: CallContext) -> dict[str, Any]:
    """Write the request.

    What does not change between the turns of a run comes first and stays equal to the byte.
    """
    cached = _cached(request, call)
    messages = [_message(message, call) for message in conversation(request, VENDOR)]
    body: dict[str, Any] = {
        "model": call.vendor_model or request.model,
        "max_tokens": request.max_output_tokens,
        "system": [{"type": "text", "text": request.prompt, **({"cache_control": cached} if cached else {})}],
        "messages": messages,
    }
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
        if cached:
            body["cache_control"] = (
                cached  # the newest message too: the next turn begins with all of this one
            )
    return body | _options(request, call)


def _cached(request: ModelRequest, call: CallContext) -> dict[str, str] | None:
    wanted = request.options.cache
    if wanted == "off" or wanted not in call.capabilities.cache_ttls:
        return None
    return {"type": "ephemeral"} if wanted == "5m" else {"type": "ephemeral", "ttl": wanted}


def _options(request: ModelRequest, call: CallContext) -> dict[str, Any]:
    options, found = request.options, dict[str, Any]()
    output: dict[str, Any] = {"effort": options.effort} if options.effort else {}
    if request.output_schema:
        output["format"] = {"type": "json_schema", "schema": closed(request.output_schema)}
    if output:
        found["output_config"] = output
    if options.thinking is not None:
        found["thinking"] = thinking_of(request, call, wanted=options.thinking)
    return found


def thinking_of(request: ModelRequest, call: CallContext, *, wanted: bool) -> dict[str, Any]:
    """Write the field `thinking`, as Anthropic's models take it wherever they are hosted.

    Args:
        request: How much it may write, of which thinking has at most half where it has a budget.
        call: What the model can.
        wanted: Whether it is to think.

    Returns:
        The field `thinking`.
    """
    kinds = call.capabilities.thinking
    if not wanted:
        return {"type": "disabled" if "disabled" in kinds else "between_tools"}
    if "adaptive" in kinds:
        return {"type": "adaptive"}
    return {"type": "enabled", "budget_tokens": max(1_024, request.max_output_tokens // 2)}


def _message(message: Message, call: CallContext) -> dict[str, Any]:
    return {"role": message.role, "content": [_block(block, call) for block in message.blocks]}


def _block(block: Block, call: CallContext) -> dict[str, Any]:
    match block:
        case TextBlock():
            return {"type": "text", "text": block.text}
        case ToolCall():
            return {"type": "tool_use", "id": block.id, "name": block.tool, "input": arguments_of(block)}
        case ToolResult():
            said = {"type": "tool_result", "tool_use_id": block.call, "content": result_text(block)}
            return {**said, "is_error": True} if block.error else said
        case OpaquePart():
            return dict(block.data)
        case Attachment():
            return _file(block, call)


def _file(attachment: Attachment, call: CallContext) -> dict[str, Any]:
    if attachment.is_text:
        # Whatever kind of text it is, Anthropic takes it as a plain one.
        source = {"type": "text", "media_type": "text/plain", "data": text_of(attachment, call)}
    else:
        data = base64_of(attachment, call)
        source = {"type": "base64", "media_type": attachment.media_type, "data": data}
    if attachment.is_image:
        return {"type": "image", "source": source}
    return {"type": "document", "source": source, "title": name_of(attachment)}
