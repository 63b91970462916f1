"""OpenAI's Responses API on the wire: `/v1/responses` and its count of tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Final

from stepward.testing.fake_llm import openai_checks as checks
from stepward.testing.fake_llm.answers import SSE, Answer, fragments, json_answer, sse_event
from stepward.testing.fake_llm.caching import CacheUse
from stepward.testing.fake_llm.prepared_replies import PreparedReply
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.protocols import OpenAiProtocol
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.responses_items import SEAL_PREFIX
from stepward.testing.fake_llm.responses_reading import ResponsesReader

_INCOMPLETE: Final = {
    "length": "max_output_tokens",
    "context": "max_output_tokens",
    "filtered": "content_filter",
}
_ECHOED: Final[dict[str, Any]] = {
    "instructions": None, "metadata": {}, "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto", "tools": [],
    "top_p": 1.0, "max_output_tokens": None, "previous_response_id": None, "prompt_cache_key": None, "reasoning": None,
    "text": {"format": {"type": "text"}}, "truncation": "disabled", "store": True,
}  # fmt: skip
Event = dict[str, Any]


class OpenAiResponses(OpenAiProtocol[ResponsesReader]):
    """Implement the protocol."""

    def direct(self, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """Count the tokens of a request."""
        del headers
        return json_answer(
            {"object": "response.input_tokens", "input_tokens": self._reader.read(body).tokens}
        )

    def cached(self, scope: str, prompt: Prompt) -> CacheUse:
        """Look a prompt up in the cache, and store it."""
        named = f"{scope}|{prompt.more['key']}"
        if prompt.more["explicit"]:
            return self._cache.by_breakpoints(named, prompt)
        return self._cache.by_prefix(named, prompt, counts_writes=prompt.limits.counts_cache_writes)

    def answer(self, said: PreparedReply) -> Answer:
        """Format a reply, whole or as a stream."""
        if said.stop == "pause":
            raise Refusal("the fault 'pause' is one of Anthropic's protocol alone")
        if said.thoughts:
            self._reader.issued.remember(said.prompt.scope, said.call_key, said.id)
        if said.prompt.streams:
            return Answer(tuple(_events(said)), content_type=SSE, is_stream=True)
        return json_answer(_response(said, _status(said), [done for done, _ in _items(said)]))

    def error_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Format an error in the middle of a stream."""
        del request_id
        said = checks.error_body(refusal)["error"]
        body = {"type": "error", "code": said["code"], "message": said["message"], "param": None}
        return sse_event({**body, "sequence_number": 0}, "error")


def _status(said: PreparedReply) -> str:
    return "incomplete" if said.stop in _INCOMPLETE else "completed"


def _response(said: PreparedReply, status: str, output: list[Event]) -> Event:
    asked = said.prompt.more["body"]
    is_over = status != "in_progress"
    reason = _INCOMPLETE.get(said.stop) if is_over else None
    return {
        **{
            name: asked.get(name) if asked.get(name) is not None else value for name, value in _ECHOED.items()
        },
        "id": f"resp_{said.id}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": said.prompt.model,
        "output": output,
        "service_tier": "default",
        "usage": _usage(said) if is_over else None,
    }


def _usage(said: PreparedReply) -> Event:
    use = said.use
    total = said.prompt_tokens
    return {
        "input_tokens": total,
        "input_tokens_details": {"cached_tokens": use.read, "cache_write_tokens": use.write + use.write_1h},
        "output_tokens": said.output_tokens,
        "output_tokens_details": {"reasoning_tokens": min(said.reasoning_tokens, said.output_tokens)},
        "total_tokens": total + said.output_tokens,
    }


def _items(said: PreparedReply) -> Iterator[tuple[Event, list[Event]]]:
    """Yield each finished item, and the events that build it."""
    for at, (text, seal) in enumerate(zip(said.thoughts, said.signatures_alone, strict=True)):
        yield _reasoning(f"rs_{said.id}{at:04d}", text, seal)
    if said.text or not (said.calls or said.thoughts):
        yield _message(said)
    is_cut = said.stop in _INCOMPLETE
    for at, call in enumerate(said.calls):
        is_last = at == len(said.calls) - 1
        item = {"id": f"fc_{call.id}{at:04d}", "type": "function_call", "status": "in_progress", "arguments": "", "call_id": f"call_{call.id}", "name": call.tool}  # fmt: skip
        deltas = [
            {"type": "response.function_call_arguments.delta", "delta": piece}
            for piece in fragments(call.text)
        ]
        done = {"type": "response.function_call_arguments.done", "arguments": call.text, "name": call.tool}
        status = "incomplete" if is_cut and is_last else "completed"
        yield {**item, "arguments": call.text, "status": status}, [{"item": item}, *deltas, done]


def _reasoning(name: str, text: str, seal: str) -> tuple[Event, list[Event]]:
    signed_thinking = f"{SEAL_PREFIX}{seal}"
    item = {"id": name, "type": "reasoning", "summary": [], "encrypted_content": signed_thinking[:16]}
    part = {"type": "summary_text", "text": text}
    events = [
        {"type": "response.reasoning_summary_part.added", "summary_index": 0, "part": {**part, "text": ""}},
        *(
            {"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": piece}
            for piece in fragments(text)
        ),
        {"type": "response.reasoning_summary_text.done", "summary_index": 0, "text": text},
        {"type": "response.reasoning_summary_part.done", "summary_index": 0, "part": part},
    ]
    return {**item, "summary": [part], "encrypted_content": signed_thinking}, [{"item": item}, *events]


def _message(said: PreparedReply) -> tuple[Event, list[Event]]:
    refused = said.stop == "refused"
    field = "refusal" if refused else "text"
    shape = {"type": "refusal"} if refused else {"type": "output_text", "annotations": [], "logprobs": []}
    name = "response.refusal" if refused else "response.output_text"
    more: Event = {} if refused else {"logprobs": []}
    whole = {**shape, field: said.text}
    item = {
        "id": f"msg_{said.id}",
        "type": "message",
        "role": "assistant",
        "status": "in_progress",
        "content": [],
    }
    events = [
        {"type": "response.content_part.added", "content_index": 0, "part": {**shape, field: ""}},
        *(
            {"type": f"{name}.delta", "content_index": 0, "delta": piece, **more}
            for piece in fragments(said.text)
        ),
        {"type": f"{name}.done", "content_index": 0, field: said.text, **more},
        {"type": "response.content_part.done", "content_index": 0, "part": whole},
    ]
    status = "incomplete" if said.stop in _INCOMPLETE and not said.calls else "completed"
    return {**item, "status": status, "content": [whole]}, [{"item": item}, *events]


def _events(said: PreparedReply) -> Iterator[bytes]:
    numbers = count()

    def event(body: Event) -> bytes:
        return sse_event({**body, "sequence_number": next(numbers)}, body["type"])

    begun = _response(said, "in_progress", [])
    yield event({"type": "response.created", "response": begun})
    yield event({"type": "response.in_progress", "response": begun})
    output = []
    for at, (done, (added, *more)) in enumerate(_items(said)):
        yield event({"type": "response.output_item.added", "output_index": at, **added})
        for one in more:
            yield event({**one, "item_id": done["id"], "output_index": at})
        yield event({"type": "response.output_item.done", "output_index": at, "item": done})
        output.append(done)
    status = _status(said)
    yield event({"type": f"response.{status}", "response": _response(said, status, output)})
