"""OpenAI's Responses API by its official SDK; each call sends the whole conversation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stepward.domain.attachments import Attachment
from stepward.domain.conversation import ModelRequest, OpaquePart, Stop, ToolCall, ToolResult
from stepward.domain.errors import Bug
from stepward.domain.money import Usage
from stepward.models.attachments import data_url, name_of, text_of
from stepward.models.messages import Block, Message, TextBlock, arguments_of, conversation, result_text
from stepward.models.openai_sdk import (
    VENDOR,
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
from stepward.models.sdk_calls import Reading, SdkCall, SdkClient, StreamError
from stepward.ports.models import CallContext

_INCOMPLETE: Final[Mapping[str | None, Stop]] = {
    "max_output_tokens": "length",
    "content_filter": "filtered",
}
_FORBIDDEN: Final = frozenset(
    {"invalid_prompt", "bio_policy", "misalignment_policy_violation", "image_content_policy_violation"}
)
"""Error codes of responses that OpenAI's rules do not allow."""


class OpenAiResponses(SdkClient):
    """Calls OpenAI's models."""

    def begin(self, request: ModelRequest, call: CallContext) -> SdkCall:
        """Load the SDK and start the call."""
        body = _body(request, call)
        opening = client_for(call).responses.create(**body, stream=True)
        return begun(request, call, opening, _Reading(ReplyBuilder(request, call)))


class _Reading(Reading):
    """Puts the events of one stream together."""

    def __init__(self, builder: ReplyBuilder) -> None:
        super().__init__(builder)
        self._streamed = set[object]()
        self._is_refused = False

    def take(self, event: Any) -> None:
        """Take in one event; unknown kinds are ignored."""
        match event.type:
            case "response.created":
                # A stream that breaks off has no count, and yet the prompt is paid.
                self.builder.is_underway = True
            case "response.output_item.added" if event.item.type == "function_call":
                self.builder.begin_call(event.output_index, event.item.name)
            case "response.output_item.done":
                self._done(event.output_index, event.item)
            case "error":
                raise StreamError(event.code or "", event.message)
            case "response.completed" | "response.incomplete" | "response.failed":
                self._end(event.response)
            case _:
                self._piece(event)

    def _piece(self, event: Any) -> None:
        match event.type:
            case "response.output_text.delta":
                self._text((event.output_index, event.content_index), event.delta)
            case "response.refusal.delta":
                self._is_refused = True
                self._text((event.output_index, event.content_index), event.delta)
            case "response.function_call_arguments.delta":
                self.builder.arguments(event.output_index, event.delta)
                self._streamed.add(event.output_index)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                self.builder.thought(event.delta)

    def _text(self, index: object, words: str, extra: dict[str, Any] | None = None) -> None:
        self._streamed.add(index)
        self.builder.text(index, words, extra)

    def _done(self, index: int, item: Any) -> None:
        """Take in a finished item; only now a reasoning item is what the API wants back."""
        match item.type:
            case "reasoning" if item.encrypted_content or item.content:
                # One without either would be looked up where nothing is kept, and not be found.
                self.builder.opaque(index, VENDOR, item.model_dump(mode="json", exclude_none=True))
            case "message":
                self._message_done(index, item)
            case "function_call":
                self._call_done(index, item)

    def _message_done(self, index: int, item: Any) -> None:
        extra = {"phase": item.phase} if item.phase else None
        for at, part in enumerate(item.content):
            self._is_refused |= part.type == "refusal"
            words = part.refusal if part.type == "refusal" else part.text
            self._text((index, at), "" if (index, at) in self._streamed else words, extra)

    def _call_done(self, index: int, item: Any) -> None:
        if index in self._streamed:
            self.builder.all_arguments(index, item.arguments)
        else:
            self.builder.begin_call(index, item.name)
            self.builder.arguments(index, item.arguments)

    def _end(self, response: Any) -> None:
        if response.status == "failed":
            self._failed(response)
        self.builder.usage = _usage(response)
        match response.status:
            case "completed":
                self.builder.stop = "refused" if self._is_refused else "end"
            case "failed":
                self.builder.stop = "filtered"
            case _:
                # An end that this release does not know must not pass for a whole answer.
                reason = response.incomplete_details.reason if response.incomplete_details else None
                self.builder.stop = _INCOMPLETE.get(reason, "filtered")
        self.is_whole = True

    def _failed(self, response: Any) -> None:
        """Raise a failure, unless OpenAI's rules ended the response: that is a reply."""
        code = response.error.code if response.error else "server_error"
        if code in _FORBIDDEN:
            return
        self.builder.usage = _usage(response)
        self.builder.is_underway = False  # one that fails before anything came is free
        raise StreamError(code, response.error.message if response.error else "the response failed.")


def _usage(response: Any) -> Usage:
    said = response.usage
    if said is None:
        return Usage()
    return usage_of(
        said.input_tokens, said.output_tokens, said.input_tokens_details, said.output_tokens_details
    )


def _body(request: ModelRequest, call: CallContext) -> dict[str, Any]:
    """Write the request; what does not change between turns stays equal to the byte."""
    body: dict[str, Any] = {
        "model": call.vendor_model or request.model,
        "instructions": request.prompt,
        "input": [item for message in conversation(request, VENDOR) for item in _items(message, call)],
        "max_output_tokens": request.max_output_tokens,
        "store": False,
    }
    if request.tools:
        body["tools"] = [{"type": "function", **function_of(tool, call)} for tool in request.tools]
        if call.capabilities.parallel_tools:
            body["parallel_tool_calls"] = True
    if request.output_schema:
        body["text"] = {"format": {"type": "json_schema", **format_of(request)}}
    return body | _reasoning(request, call) | sampling(request, call) | caching(request, call)


def _reasoning(request: ModelRequest, call: CallContext) -> dict[str, Any]:
    """Request reasoning and its items; models that do not reason refuse both."""
    if not call.capabilities.thinks:
        return {}
    found: dict[str, Any] = {"include": ["reasoning.encrypted_content"]}
    effort = effort_of(request, call)
    wanted = {"effort": effort} if effort else {}
    if request.options.thinking:
        # Only on request: OpenAI shows summaries to verified organisations alone.
        wanted["summary"] = "auto"
    return found | ({"reasoning": wanted} if wanted else {})


def _items(message: Message, call: CallContext) -> Iterator[dict[str, Any]]:
    files = [block for block in message.blocks if isinstance(block, Attachment)]
    for block in message.blocks[len(files) :]:
        item = _item(message, block)
        if files:
            # They come before all else that the user says, in one message with the input.
            said = {"type": "input_text", "text": item["content"]}
            item, files = {**item, "content": [*(_file(one, call) for one in files), said]}, []
        yield item


def _file(attachment: Attachment, call: CallContext) -> dict[str, Any]:
    if attachment.is_image:
        return {"type": "input_image", "image_url": data_url(attachment, call), "detail": "auto"}
    name = name_of(attachment)
    if attachment.is_text:
        return {"type": "input_text", "text": f"{name}:\n\n{text_of(attachment, call)}"}
    return {"type": "input_file", "filename": name, "file_data": data_url(attachment, call)}


def _item(message: Message, block: Block) -> dict[str, Any]:
    match block:
        case TextBlock():
            # Without an id: it would be looked up together with the items around it, which may be trimmed.
            return {"role": message.role, "content": block.text, **(block.extra or {})}
        case ToolCall():
            return {
                "type": "function_call",
                "call_id": block.id,
                "name": block.tool,
                "arguments": json.dumps(arguments_of(block), ensure_ascii=False),
            }
        case ToolResult():
            return {"type": "function_call_output", "call_id": block.call, "output": result_text(block)}
        case OpaquePart():
            return dict(block.data)
        case Attachment():
            raise Bug(f"{block.key} does not come before the input")
