"""Bedrock's Converse API on the wire.

It has `/model/{id}/converse`, `/model/{id}/converse-stream` and `/model/{id}/count-tokens`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stepward.testing.fake_llm.answers import EVENT_STREAM, Answer, fragments, frame, json_answer
from stepward.testing.fake_llm.caching import CacheUse, PromptCache
from stepward.testing.fake_llm.converse_reading import ConverseReader
from stepward.testing.fake_llm.prepared_replies import PreparedReply
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.replies import Kind, Refusal

_STOPS: Final = {
    "end": "end_turn",
    "tools": "tool_use",
    "length": "max_tokens",
    "refused": "content_filtered",
    "filtered": "guardrail_intervened",
    "context": "model_context_window_exceeded",
}
_ERRORS: Final[dict[Kind, tuple[int, str]]] = {
    "invalid": (400, "ValidationException"),
    "unauthorized": (403, "UnrecognizedClientException"),
    "quota": (400, "ServiceQuotaExceededException"),
    "forbidden": (403, "AccessDeniedException"),
    "missing": (404, "ResourceNotFoundException"),
    "conflict": (409, "ConflictException"),
    "large": (413, "ValidationException"),
    "throttled": (429, "ThrottlingException"),
    "failed": (500, "InternalServerException"),
    "unavailable": (503, "ServiceUnavailableException"),
    "late": (408, "ModelTimeoutException"),
    "overloaded": (503, "ServiceUnavailableException"),
}
_IN_STREAM: Final[dict[Kind, str]] = {
    "throttled": "throttlingException",
    "failed": "internalServerException",
    "invalid": "validationException",
}


class BedrockConverse:
    """Implement the protocol.

    Args:
        reader: Reads and checks requests.
        cache: The prompts that were seen.
    """

    request_id_header = "x-amzn-requestid"

    def __init__(self, reader: ConverseReader, cache: PromptCache) -> None:
        self._reader = reader
        self._cache = cache

    def key(self, headers: Mapping[str, str]) -> str:
        """Return the signer of a request; refuse an unsigned one."""
        said = headers.get("authorization", "")
        if said.startswith("Bearer "):
            return said.removeprefix("Bearer ").strip()
        _, found, rest = said.partition("Credential=")
        if not found:
            raise Refusal(
                "Missing Authentication Token", "unauthorized", code="MissingAuthenticationTokenException"
            )
        return rest.partition("/")[0]

    def bad_key(self, key: str) -> Refusal:
        """Refuse a signer that is not known."""
        del key
        return Refusal("The security token included in the request is invalid.", "unauthorized")

    def read(self, body: dict[str, Any], headers: Mapping[str, str]) -> Prompt:
        """Read a request for a reply."""
        del headers
        return self._reader.read(body)

    def direct(self, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """Count the tokens of a request."""
        del headers
        asked = (body.get("input") or {}).get("converse")
        if not isinstance(asked, dict):
            raise Refusal("The CountTokens operation counts the tokens of `converse` here.")
        return json_answer({"inputTokens": self._reader.read({**asked, "model": body["model"]}).tokens})

    def cached(self, scope: str, prompt: Prompt) -> CacheUse:
        """Look a prompt up in the cache, and store it."""
        return self._cache.by_breakpoints(scope, prompt)

    def answer(self, said: PreparedReply) -> Answer:
        """Format a reply, whole or as a stream."""
        if said.stop not in _STOPS:
            raise Refusal(f"the fault {said.stop!r} is one of Anthropic's protocol alone")
        if said.thoughts:
            self._reader.issued.remember(said.prompt.scope, said.call_key, said.id)
        if said.prompt.streams:
            return Answer(tuple(_events(said)), content_type=EVENT_STREAM, is_stream=True)
        message = {"role": "assistant", "content": _content(said)}
        body = {
            "output": {"message": message},
            "stopReason": _STOPS[said.stop],
            "usage": _usage(said),
            "metrics": {"latencyMs": 1},
        }
        return json_answer(body)

    def refused(self, refusal: Refusal, request_id: str) -> Answer:
        """Format an error."""
        del request_id
        status, kind = _ERRORS[refusal.kind]
        headers = {**refusal.headers, "x-amzn-errortype": refusal.code or kind}
        return json_answer({"message": refusal.message}, status, headers)

    def error_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Format an error in the middle of a stream."""
        del request_id
        name = _IN_STREAM.get(refusal.kind, "serviceUnavailableException")
        return frame("exception", name, {"message": refusal.message})


def _content(said: PreparedReply) -> list[dict[str, Any]]:
    thinking = [
        {"reasoningContent": {"reasoningText": {"text": said.shown(text), "signature": seal}}}
        for text, seal in zip(said.thoughts, said.signatures, strict=True)
    ]
    calls = [
        {"toolUse": {"toolUseId": f"tooluse_{call.id}", "name": call.tool, "input": call.arguments or {}}}
        for call in said.calls
    ]
    return [*thinking, *([{"text": said.text}] if said.text else []), *calls]


def _usage(said: PreparedReply) -> dict[str, Any]:
    use = said.use
    cached = {
        "cacheReadInputTokens": use.read,
        "cacheWriteInputTokens": use.write + use.write_1h,
        "cacheDetails": [
            {"ttl": ttl, "inputTokens": tokens}
            for ttl, tokens in (("5m", use.write), ("1h", use.write_1h))
            if tokens
        ],
    }
    return {
        "inputTokens": use.fresh,
        "outputTokens": said.output_tokens,
        "totalTokens": said.prompt_tokens + said.output_tokens,
        **cached,
    }


def _events(said: PreparedReply) -> Iterator[bytes]:
    def event(name: str, body: dict[str, Any]) -> bytes:
        # The vendor pads its events, so that their sizes tell nothing of what is in them.
        return frame("event", name, {**body, "p": "abcdefghijklm"})

    yield event("messageStart", {"role": "assistant"})
    for index, (start, deltas) in enumerate(_blocks(said)):
        if start:
            yield event("contentBlockStart", {"start": start, "contentBlockIndex": index})
        for delta in deltas:
            yield event("contentBlockDelta", {"delta": delta, "contentBlockIndex": index})
        yield event("contentBlockStop", {"contentBlockIndex": index})
    yield event("messageStop", {"stopReason": _STOPS[said.stop]})
    yield event("metadata", {"usage": _usage(said), "metrics": {"latencyMs": 1}})


def _blocks(said: PreparedReply) -> Iterator[tuple[dict[str, Any] | None, list[dict[str, Any]]]]:
    """Yield each block's beginning, where it has one, and its deltas."""
    for text, seal in zip(said.thoughts, said.signatures, strict=True):
        shown = [{"reasoningContent": {"text": piece}} for piece in fragments(said.shown(text))]
        yield None, [*shown, {"reasoningContent": {"signature": seal}}]
    if said.text:
        yield None, [{"text": piece} for piece in fragments(said.text)]
    for call in said.calls:
        start = {"toolUse": {"toolUseId": f"tooluse_{call.id}", "name": call.tool}}
        pieces = list(fragments(call.text)) if call.text != json.dumps({}) else [""]
        yield start, [{"toolUse": {"input": piece}} for piece in pieces]
