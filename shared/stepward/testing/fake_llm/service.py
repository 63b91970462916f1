"""Answers requests, whatever protocol they come in: key, route, reading, reply, faults."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from stepward.testing.fake_llm import faults
from stepward.testing.fake_llm.answers import Answer, json_answer
from stepward.testing.fake_llm.anthropic import AnthropicMessages
from stepward.testing.fake_llm.anthropic_reading import AnthropicReader
from stepward.testing.fake_llm.caching import PromptCache
from stepward.testing.fake_llm.known_models import KnownModels, ModelLimits
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.received import Received, key_digest
from stepward.testing.fake_llm.refusals import Refusal
from stepward.testing.fake_llm.replies import Fault, Reply
from stepward.testing.fake_llm.routes import Route, Speaker, find_route
from stepward.testing.fake_llm.signing import Issued
from stepward.testing.fake_llm.sources import Source
from stepward.testing.fake_llm.spoken import spoken

MOST_BODY_BYTES: Final = 32 * 1024 * 1024
_FAULT_HEADER: Final = "x-fake-fault"


@dataclass(frozen=True)
class Settings:
    """How the provider behaves.

    Args:
        port: Where it listens on loopback; 0 takes a free one.
        models: Models to know beside those of the price list, or with other limits.
        keys: The keys that it takes; None takes any.
        latency_ms: How long the first byte of each answer waits, in milliseconds.
        pace_ms: How long each event of a stream waits, in milliseconds.
        cache_tokens: The shortest prefix that a prompt cache keeps, in tokens.
        clock: Gives seconds, for the lives of cached prompts.
    """

    port: int = 0
    models: Mapping[str, ModelLimits] = field(default_factory=dict)
    keys: frozenset[str] | None = None
    latency_ms: float = 0
    pace_ms: float = 0
    cache_tokens: int = 1_024
    clock: Callable[[], float] = time.monotonic


class Service:
    """Turns a request into an answer."""

    def __init__(self, settings: Settings, source: Source) -> None:
        self.settings = settings
        self.source = source
        self.models = KnownModels(settings.models)
        self.faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._instance = secrets.token_hex(4)
        cache = PromptCache(settings.clock, settings.cache_tokens)
        self.speakers: dict[str, Speaker] = {
            "messages": AnthropicMessages(AnthropicReader(Issued(), self.models), cache),
        }

    def answer(self, request: Received, raw: bytes, key_headers: Mapping[str, str]) -> Answer:
        """Answer one request.

        Args:
            request: The record of it, which is filled in.
            raw: Its body.
            key_headers: Its headers with the key, which is not kept.

        Returns:
            What to send, with the vendor's header for the request's id.
        """
        found = find_route(request.method, request.path)
        if found is None:
            request.status = 404
            return json_answer(
                {
                    "error": {
                        "type": "not_found_error",
                        "message": f"{request.method} {request.path} is not served",
                    }
                },
                404,
            )
        speaker = self.speakers[found.speaker]
        request.request_id = f"req_{self._instance}{request.number:08d}"
        try:
            answer = self._answered(request, raw, key_headers, found, speaker)
        except Refusal as refusal:
            request.refused = refusal.message
            answer = speaker.refused(refusal, request.request_id)
        request.status = answer.status
        return replace(answer, headers={**answer.headers, speaker.request_id_header: request.request_id})

    def _answered(
        self, request: Received, raw: bytes, headers: Mapping[str, str], route: Route, speaker: Speaker
    ) -> Answer:
        key = speaker.key(headers)
        request.key_digest = key_digest(key)
        if self.settings.keys is not None and key not in self.settings.keys:
            raise speaker.bad_key()
        body = _parsed(raw)
        request.body = {"model": route.model, **body} if route.model else body
        body, asked = _without_suffix(request.body)
        if route.counts:
            return speaker.count(body, headers)
        prompt = speaker.read(body, headers)
        if prompt.tokens > prompt.limits.context_tokens:
            raise Refusal(
                f"prompt is too long: {prompt.tokens} tokens > {prompt.limits.context_tokens} maximum"
            )
        request.prompt_tokens = prompt.tokens
        request.streams = prompt.streams
        return self._replied(request, prompt, speaker, asked or headers.get(_FAULT_HEADER))

    def _replied(self, request: Received, prompt: Prompt, speaker: Speaker, asked: str | None) -> Answer:
        fault = _fault_of(asked) or self._next_fault()
        alone = fault and (faults.refusal_of(fault) or faults.page(fault))
        reply = Reply() if alone else self.source.reply(prompt)
        fault = fault or reply.fault
        request.fault = fault.name if fault else None
        if fault and (refusal := faults.refusal_of(fault)):
            raise refusal
        if fault and (found := faults.page(fault)):
            return found
        use = speaker.cached(f"{request.key_digest}|{prompt.model}", prompt)
        said = spoken(reply.model_copy(update={"fault": fault}), prompt, use, self._id(request))
        answer = speaker.answer(said)
        if fault is None:
            return answer
        return faults.broken(
            answer, fault, lambda: speaker.error_event(faults.OVERLOADED, request.request_id)
        )

    def _next_fault(self) -> Fault | None:
        with self._lock:
            return self.faults.popleft() if self.faults else None

    def _id(self, request: Received) -> str:
        return f"{self._instance}{request.number:08d}"


def _parsed(raw: bytes) -> dict[str, Any]:
    if len(raw) > MOST_BODY_BYTES:
        raise Refusal("Request exceeds the maximum size", "large")
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Refusal(f"The request body is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise Refusal("The request body is not a JSON object")
    return body


def _without_suffix(body: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Split a fault off a model's name, as in `claude-haiku-5-5+cut`."""
    model, plus, fault = str(body.get("model", "")).partition("+")
    return ({**body, "model": model}, fault) if plus else (body, None)


def _fault_of(asked: str | None) -> Fault | None:
    if not asked:
        return None
    try:
        return Fault(name=asked)
    except ValueError as error:
        raise Refusal(f"{_FAULT_HEADER}: {error}") from error
