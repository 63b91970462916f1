"""OpenAI's Chat Completions API on the wire: `/v1/chat/completions`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from stepward.testing.fake_llm import openai_checks as checks
from stepward.testing.fake_llm.answers import SSE, Answer, fragments, json_answer, sse_event
from stepward.testing.fake_llm.caching import CacheUse
from stepward.testing.fake_llm.chat_reading import ChatReader
from stepward.testing.fake_llm.prepared_replies import PreparedReply
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.protocols import OpenAiProtocol
from stepward.testing.fake_llm.replies import Refusal

_STOPS: Final = {
    "end": "stop",
    "tools": "tool_calls",
    "length": "length",
    "context": "length",
    "refused": "stop",
    "filtered": "content_filter",
}


class OpenAiChat(OpenAiProtocol[ChatReader]):
    """Implement the protocol."""

    def cached(self, scope: str, prompt: Prompt) -> CacheUse:
        """Look a prompt up in the cache, and store it."""
        named = f"{scope}|{prompt.more['key']}"
        return self._cache.by_prefix(named, prompt, counts_writes=prompt.limits.counts_cache_writes)

    def answer(self, said: PreparedReply) -> Answer:
        """Format a reply, whole or as a stream."""
        if said.stop not in _STOPS:
            raise Refusal(f"the fault {said.stop!r} is one of Anthropic's protocol alone")
        if said.prompt.streams:
            return Answer(tuple(_events(said)), content_type=SSE, is_stream=True)
        choice = {"index": 0, "message": _message(said), "logprobs": None, "finish_reason": _STOPS[said.stop]}
        return json_answer({**_head(said, "chat.completion"), "choices": [choice], "usage": _usage(said)})

    def error_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Format an error in the middle of a stream."""
        del request_id
        return sse_event(checks.error_body(refusal))


def _head(said: PreparedReply, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{said.id}",
        "object": kind,
        "created": int(time.time()),
        "model": said.prompt.model,
        "service_tier": "default",
        "system_fingerprint": None,
    }


def _message(said: PreparedReply) -> dict[str, Any]:
    refused = said.stop == "refused"
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused or (said.calls and not said.text) else said.text,
        "refusal": said.text if refused else None,
        "annotations": [],
    }
    calls = [
        {"id": f"call_{call.id}", "type": "function", "function": {"name": call.tool, "arguments": call.text}}
        for call in said.calls
    ]
    return {**message, "tool_calls": calls} if calls else message


def _usage(said: PreparedReply) -> dict[str, Any]:
    use = said.use
    return {
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": said.output_tokens,
        "total_tokens": said.prompt_tokens + said.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": use.read,
            "cache_write_tokens": use.write + use.write_1h,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": min(said.reasoning_tokens, said.output_tokens),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _events(said: PreparedReply) -> Iterator[bytes]:
    head = _head(said, "chat.completion.chunk")
    usage = {"usage": None} if said.prompt.more["usage"] else {}
    for delta in _deltas(said):
        yield sse_event({**head, "choices": [_choice(delta, None)], **usage})
    yield sse_event({**head, "choices": [_choice({}, _STOPS[said.stop])], **usage})
    if said.prompt.more["usage"]:
        yield sse_event({**head, "choices": [], "usage": _usage(said)})
    yield sse_event("[DONE]")


def _choice(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _deltas(said: PreparedReply) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": "" if said.text else None, "refusal": None}
    name = "refusal" if said.stop == "refused" else "content"
    yield from ({name: piece} for piece in fragments(said.text))
    for at, call in enumerate(said.calls):
        function = {"name": call.tool, "arguments": ""}
        yield {
            "tool_calls": [{"index": at, "id": f"call_{call.id}", "type": "function", "function": function}]
        }
        for piece in fragments(call.text):
            yield {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}
