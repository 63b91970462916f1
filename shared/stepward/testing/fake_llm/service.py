"""Answer requests of all protocols: key, route, reading, reply, faults."""

from __future__ import annotations

import json
import secrets
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from stepward.testing.fake_llm import faults
from stepward.testing.fake_llm.answers import Answer, json_answer
from stepward.testing.fake_llm.anthropic import AnthropicMessages
from stepward.testing.fake_llm.anthropic_reading import AnthropicReader
from stepward.testing.fake_llm.caching import PromptCache
from stepward.testing.fake_llm.cassettes import RecordedRequest
from stepward.testing.fake_llm.chat import OpenAiChat
from stepward.testing.fake_llm.chat_reading import ChatReader
from stepward.testing.fake_llm.converse import BedrockConverse
from stepward.testing.fake_llm.converse_reading import ConverseReader
from stepward.testing.fake_llm.embeddings import Embedder, ModelLists, SimpleApi
from stepward.testing.fake_llm.known_models import KnownModels, ModelLimits
from stepward.testing.fake_llm.prepared_replies import prepare_reply
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.protocols import DirectApi, ModelApi, Route, VendorApi, find_route
from stepward.testing.fake_llm.received import Received, key_digest
from stepward.testing.fake_llm.recording import Recorder
from stepward.testing.fake_llm.replies import Fault, Refusal, Reply
from stepward.testing.fake_llm.responses import OpenAiResponses
from stepward.testing.fake_llm.responses_reading import ResponsesReader
from stepward.testing.fake_llm.scripts import Source
from stepward.testing.fake_llm.signing import IssuedThinking

MOST_BODY_BYTES: Final = 32 * 1024 * 1024
_FAULT_HEADER: Final = "x-fake-fault"


@dataclass(frozen=True)
class Settings:
    """Settings of the provider.

    Args:
        port: The port on loopback; 0 takes a free one. Default: 0.
        models: Models beside those of the price list, or with other limits. Default: none.
        keys: The keys that it accepts. Default: None, for any.
        latency_ms: Milliseconds before the first byte of each answer. Default: 0.
        pace_ms: Milliseconds before each event of a stream. Default: 0.
        cache_tokens: The shortest prefix that a prompt cache stores, in tokens. Default: 1,024.
        clock: Returns seconds, for the lives of cached prompts. Default: `time.monotonic`.

    Example:
        >>> Settings(latency_ms=100).keys is None
        True
    """

    port: int = 0
    models: Mapping[str, ModelLimits] = field(default_factory=dict)
    keys: frozenset[str] | None = None
    latency_ms: float = 0
    pace_ms: float = 0
    cache_tokens: int = 1_024
    clock: Callable[[], float] = time.monotonic


class Service:
    """Answer requests."""

    def __init__(self, settings: Settings, source: Source, recorder: Recorder | None = None) -> None:
        self.settings = settings
        self.source = source
        self._recorder = recorder
        self.models = KnownModels(settings.models)
        self.faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._instance = secrets.token_hex(4)
        cache = PromptCache(settings.clock, settings.cache_tokens)
        issued, models = IssuedThinking(), self.models
        messages = AnthropicMessages(AnthropicReader(issued, models), cache)
        responses = OpenAiResponses(ResponsesReader(issued, models), cache)
        converse = BedrockConverse(ConverseReader(issued, models), cache)
        self.model_apis: dict[str, ModelApi] = {
            "messages": messages,
            "responses": responses,
            "chat": OpenAiChat(ChatReader(models), cache),
            "converse": converse,
        }
        self.direct_apis: dict[str, DirectApi] = {
            "messages": messages,
            "responses": responses,
            "converse": converse,
            "embeddings": SimpleApi(lambda body, _: Embedder(models).embed(body)),
            "models": SimpleApi(ModelLists(models).answer),
        }

    def answer(self, request: Received, raw: bytes, key_headers: Mapping[str, str]) -> Answer:
        """Answer one request.

        Args:
            request: The record of it, which is filled in.
            raw: Its body.
            key_headers: Its headers with the key, which is not stored.

        Returns:
            The answer, with the vendor's header for the request's id.
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
        vendor_api: VendorApi = (self.direct_apis if found.direct else self.model_apis)[found.protocol]
        request.request_id = self._request_id(request, found)
        try:
            answer = self._answered(request, raw, key_headers, found)
        except Refusal as refusal:
            request.refused = refusal.message
            answer = vendor_api.refused(refusal, request.request_id)
        request.status = answer.status
        return replace(answer, headers={vendor_api.request_id_header: request.request_id, **answer.headers})

    def _answered(self, request: Received, raw: bytes, headers: Mapping[str, str], route: Route) -> Answer:
        vendor_api: VendorApi = (self.direct_apis if route.direct else self.model_apis)[route.protocol]
        key = vendor_api.key(headers)
        request.key_digest = key_digest(key)
        if self.settings.keys is not None and key not in self.settings.keys:
            raise vendor_api.bad_key(key)
        request.body = _parsed(raw) if request.method == "POST" else {}
        if route.model is not None:
            request.body = {
                **request.body,
                "model": route.model,
                **({"stream": True} if route.streams else {}),
            }
        body, asked = _without_suffix(request.body)
        asked = asked or headers.get(_FAULT_HEADER)
        if self._recorder:
            answer = self._recorder.answer(
                RecordedRequest(request.method, request.path, _without_path(request.body, route)),
                raw,
                headers,
            )
            return self._with_any_fault(answer, asked, request, route)
        if route.direct:
            return self._direct(request, body, headers, route, asked)
        protocol = self.model_apis[route.protocol]
        with _wrong_types_refused():
            prompt = protocol.read(body, headers)
        request.prompt_tokens = prompt.tokens
        request.streams = prompt.streams
        return self._replied(request, prompt, protocol, asked)

    def _direct(
        self,
        request: Received,
        body: dict[str, Any],
        headers: Mapping[str, str],
        route: Route,
        asked: str | None,
    ) -> Answer:
        with _wrong_types_refused():
            answer = self.direct_apis[route.protocol].direct(body, headers)
        return self._with_any_fault(answer, asked, request, route)

    def _with_any_fault(self, answer: Answer, asked: str | None, request: Received, route: Route) -> Answer:
        """Play a fault with a finished answer.

        Counts and lists meet a fault only when the request asks for one.
        """
        takes_faults = not route.direct or route.protocol == "embeddings"
        fault = _fault_of(asked) or (self._next_fault() if takes_faults else None)
        if fault is None:
            return answer
        request.fault = fault.name
        if refusal := faults.refusal_of(fault):
            raise refusal
        event = partial(self._error_event, route, request)
        return faults.html_page(fault) or faults.broken(answer, fault, event)

    def _error_event(self, route: Route, request: Received) -> bytes:
        if route.direct:
            return b""
        return self.model_apis[route.protocol].error_event(faults.OVERLOADED, request.request_id)

    def _replied(self, request: Received, prompt: Prompt, protocol: ModelApi, asked: str | None) -> Answer:
        fault = _fault_of(asked) or self._next_fault()
        alone = fault and (faults.refusal_of(fault) or faults.html_page(fault))
        # A prompt that allows no reply is only put into the cache.
        only_warms = prompt.max_output_tokens == 0
        reply = Reply(stop="length") if alone or only_warms else self.source.reply(prompt)
        fault = fault or reply.fault
        request.fault = fault.name if fault else None
        if fault and (refusal := faults.refusal_of(fault)):
            raise refusal
        if fault and (found := faults.html_page(fault)):
            return found
        use = protocol.cached(f"{request.key_digest}|{prompt.model}", prompt)
        said = prepare_reply(reply.model_copy(update={"fault": fault}), prompt, use, self._id(request))
        answer = protocol.answer(said)
        if fault is None:
            return answer
        return faults.broken(
            answer, fault, partial(protocol.error_event, faults.OVERLOADED, request.request_id)
        )

    def _next_fault(self) -> Fault | None:
        with self._lock:
            return self.faults.popleft() if self.faults else None

    def _request_id(self, request: Received, route: Route) -> str:
        """Return a request's id in its vendor's format."""
        name = self._id(request)
        return str(uuid.UUID(f"{name:0<32}")) if route.protocol == "converse" else f"req_{name}"

    def _id(self, request: Received) -> str:
        return f"{self._instance}{request.number:08d}"


@contextmanager
def _wrong_types_refused() -> Iterator[None]:
    """Refuse a value of a wrong type that no check has found before it was used."""
    try:
        yield
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise Refusal(f"the request has a value of a wrong kind: {type(error).__name__}: {error}") from error


def _without_path(body: dict[str, Any], route: Route) -> dict[str, Any]:
    """Leave out the fields that the path has: a cassette knows them by it."""
    return {
        name: value for name, value in body.items() if route.model is None or name not in ("model", "stream")
    }


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
