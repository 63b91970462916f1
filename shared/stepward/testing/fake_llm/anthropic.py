"""Anthropic's Messages API on the wire: `/v1/messages` and its count of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stepward.testing.fake_llm.answers import SSE, Answer, fragments, json_answer, sse_event
from stepward.testing.fake_llm.anthropic_reading import AnthropicReader
from stepward.testing.fake_llm.caching import CacheUse, PromptCache
from stepward.testing.fake_llm.prepared_replies import PreparedReply
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.replies import Kind, Refusal

_STOPS: Final = {
    "end": "end_turn",
    "tools": "tool_use",
    "length": "max_tokens",
    "refused": "refusal",
    "filtered": "refusal",
    "context": "model_context_window_exceeded",
    "pause": "pause_turn",
}
_ERRORS: Final[dict[Kind, tuple[int, str]]] = {
    "invalid": (400, "invalid_request_error"),
    "unauthorized": (401, "authentication_error"),
    "quota": (402, "billing_error"),
    "forbidden": (403, "permission_error"),
    "missing": (404, "not_found_error"),
    "conflict": (409, "invalid_request_error"),
    "large": (413, "request_too_large"),
    "throttled": (429, "rate_limit_error"),
    "failed": (500, "api_error"),
    "unavailable": (503, "api_error"),
    "late": (504, "timeout_error"),
    "overloaded": (529, "overloaded_error"),
}


class AnthropicMessages:
    """Implement the protocol.

    Args:
        reader: Reads and checks requests.
        cache: The prompts that were seen.
    """

    request_id_header = "request-id"

    def __init__(self, reader: AnthropicReader, cache: PromptCache) -> None:
        self._reader = reader
        self._cache = cache

    def key(self, headers: Mapping[str, str]) -> str:
        """Return the key of a request; refuse one without."""
        bearer = headers.get("authorization", "").removeprefix("Bearer ").strip()
        key = headers.get("x-api-key", "").strip() or bearer
        if not key:
            raise Refusal("x-api-key header is required", "unauthorized")
        return key

    def bad_key(self, key: str) -> Refusal:
        """Refuse a key that is not known."""
        del key
        return Refusal("invalid x-api-key", "unauthorized")

    def read(self, body: dict[str, Any], headers: Mapping[str, str]) -> Prompt:
        """Read a request for a reply."""
        self._check_version(headers)
        return self._reader.read(body)

    def direct(self, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """Count the tokens of a request."""
        self._check_version(headers)
        return json_answer({"input_tokens": self._reader.read(body, counts_only=True).tokens})

    def cached(self, scope: str, prompt: Prompt) -> CacheUse:
        """Look a prompt up in the cache, and store it."""
        return self._cache.by_breakpoints(scope, prompt)

    def answer(self, said: PreparedReply) -> Answer:
        """Format a reply, whole or as a stream."""
        if said.thoughts:
            self._reader.issued.remember(said.prompt.scope, said.call_key, said.id)
        if said.stop == "pause":
            self._reader.issued.remember("paused", [("text", said.text)], said.id)
        if said.prompt.streams:
            return Answer(tuple(_events(said)), content_type=SSE, is_stream=True)
        return json_answer(_message(said))

    def refused(self, refusal: Refusal, request_id: str) -> Answer:
        """Format an error."""
        status, _ = _ERRORS[refusal.kind]
        return json_answer(_error(refusal, request_id), status, refusal.headers)

    def error_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Format an error in the middle of a stream."""
        return sse_event(_error(refusal, request_id), "error")

    def _check_version(self, headers: Mapping[str, str]) -> None:
        if not headers.get("anthropic-version"):
            raise Refusal("anthropic-version: header is required")


def _error(refusal: Refusal, request_id: str) -> dict[str, Any]:
    _, kind = _ERRORS[refusal.kind]
    return {
        "type": "error",
        "error": {"type": kind, "message": refusal.message},
        "request_id": request_id,
    }


def _message(said: PreparedReply) -> dict[str, Any]:
    return {**_head(said), "content": _content(said), **_end(said), "usage": _usage(said, said.output_tokens)}


def _head(said: PreparedReply) -> dict[str, Any]:
    return {
        "id": f"msg_01{said.id}",
        "type": "message",
        "role": "assistant",
        "model": said.prompt.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
    }


def _end(said: PreparedReply) -> dict[str, Any]:
    refused = said.stop in ("refused", "filtered")
    details = {"type": "refusal", "category": None, "explanation": said.text or None}
    return {
        "stop_reason": _STOPS[said.stop],
        "stop_sequence": None,
        "stop_details": details if refused else None,
    }


def _content(said: PreparedReply) -> list[dict[str, Any]]:
    thinking = [
        {"type": "thinking", "thinking": said.shown(text), "signature": seal}
        for text, seal in zip(said.thoughts, said.signatures, strict=True)
    ]
    text = [{"type": "text", "text": said.text}] if said.text else []
    calls = [
        {"type": "tool_use", "id": f"toolu_01{call.id}", "name": call.tool, "input": call.arguments or {}}
        for call in said.calls
    ]
    return [*thinking, *text, *calls]


def _usage(said: PreparedReply, output_tokens: int) -> dict[str, Any]:
    use = said.use
    return {
        "input_tokens": use.fresh,
        "cache_creation_input_tokens": use.write + use.write_1h,
        "cache_read_input_tokens": use.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": use.write,
            "ephemeral_1h_input_tokens": use.write_1h,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {"thinking_tokens": min(said.reasoning_tokens, output_tokens)},
        "service_tier": "standard",
    }


def _events(said: PreparedReply) -> Iterator[bytes]:
    start = {**_head(said), "usage": _usage(said, 1)}
    yield _event({"type": "message_start", "message": start})
    for index, block in enumerate(_blocks(said)):
        first, *deltas = block
        yield _event({"type": "content_block_start", "index": index, "content_block": first})
        if index == 0:
            yield _event({"type": "ping"})
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    usage = _usage(said, said.output_tokens)
    counts = {name: usage[name] for name in usage if name not in ("cache_creation", "service_tier")}
    yield _event({"type": "message_delta", "delta": _end(said), "usage": counts})
    yield _event({"type": "message_stop"})


def _event(body: dict[str, Any]) -> bytes:
    return sse_event(body, body["type"])


def _blocks(said: PreparedReply) -> Iterator[list[dict[str, Any]]]:
    """Yield each block as it begins, and its deltas."""
    for text, seal in zip(said.thoughts, said.signatures, strict=True):
        shown = [{"type": "thinking_delta", "thinking": piece} for piece in fragments(said.shown(text))]
        yield [
            {"type": "thinking", "thinking": "", "signature": ""},
            *shown,
            {"type": "signature_delta", "signature": seal},
        ]
    if said.text:
        deltas = [{"type": "text_delta", "text": piece} for piece in fragments(said.text)]
        yield [{"type": "text", "text": ""}, *deltas]
    for call in said.calls:
        pieces = ["", *fragments(call.text)] if call.text != "{}" else [""]
        use = {"type": "tool_use", "id": f"toolu_01{call.id}", "name": call.tool, "input": {}}
        yield [use, *({"type": "input_json_delta", "partial_json": piece} for piece in pieces)]
