"""Map paths to protocols, and define what a protocol does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from stepward.testing.fake_llm import openai_checks as checks
from stepward.testing.fake_llm.answers import Answer
from stepward.testing.fake_llm.caching import CacheUse, PromptCache
from stepward.testing.fake_llm.prepared_replies import PreparedReply
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.replies import Refusal


class VendorApi(Protocol):
    """A protocol of a vendor: its keys and its errors."""

    @property
    def request_id_header(self) -> str:
        """The vendor's header for a request's id."""

    def key(self, headers: Mapping[str, str]) -> str:
        """Return the key; raise `Refusal` where there is none."""

    def bad_key(self, key: str) -> Refusal:
        """Return the error for an unknown key."""

    def refused(self, refusal: Refusal, request_id: str) -> Answer:
        """Format an error."""


class DirectApi(VendorApi, Protocol):
    """A protocol that answers without a model's words, such as with a count of tokens."""

    def direct(self, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """Answer a request; raise `Refusal` where it is invalid."""


class ModelApi(VendorApi, Protocol):
    """A protocol in which a model replies."""

    def read(self, body: dict[str, Any], headers: Mapping[str, str]) -> Prompt:
        """Read a request; raise `Refusal` where it is invalid."""

    def cached(self, scope: str, prompt: Prompt) -> CacheUse:
        """Look a prompt up in the cache, and store it."""

    def answer(self, said: PreparedReply) -> Answer:
        """Format a reply."""

    def error_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Format an error in the middle of a stream."""


@dataclass(frozen=True)
class Route:
    """The protocol of a request.

    `direct` needs no reply of a model; `model` and `streams` are those that the path names.
    """

    protocol: str
    direct: bool = False
    model: str | None = None
    streams: bool = False


_POSTS: Final = {
    "/v1/messages": Route("messages"),
    "/v1/messages/count_tokens": Route("messages", direct=True),
    "/v1/responses": Route("responses"),
    "/v1/responses/input_tokens": Route("responses", direct=True),
    "/v1/chat/completions": Route("chat"),
    "/v1/embeddings": Route("embeddings", direct=True),
}
_BEDROCK: Final = re.compile(r"/model/(?P<model>[^/]+)/(?P<action>converse|converse-stream|count-tokens)")
_MODELS: Final = re.compile(r"/v1/models(?:/(?P<model>[^/]+))?")


def find_route(method: str, path: str) -> Route | None:
    """Return the route of a request; None for a path that is not served."""
    place = urlsplit(path).path
    if method == "GET":
        found = _MODELS.fullmatch(place)
        return Route("models", direct=True, model=unquote(found["model"] or "")) if found else None
    converse = _BEDROCK.fullmatch(place)
    if converse is None:
        return _POSTS.get(place)
    action = converse["action"]
    model = unquote(converse["model"])
    return Route("converse", action == "count-tokens", model, action == "converse-stream")


class Reads(Protocol):
    """A reader that checks requests."""

    def read(self, body: dict[str, Any]) -> Prompt:
        """Read a request; raise `Refusal` where the API would refuse it."""


R = TypeVar("R", bound=Reads)


class OpenAiProtocol(Generic[R]):
    """Implement one of the APIs.

    Args:
        reader: Reads and checks its requests.
        cache: The prompts that were seen.
    """

    request_id_header = "x-request-id"

    def __init__(self, reader: R, cache: PromptCache) -> None:
        self._reader = reader
        self._cache = cache

    def key(self, headers: Mapping[str, str]) -> str:
        """Return the key of a request."""
        return checks.bearer(headers)

    def bad_key(self, key: str) -> Refusal:
        """Refuse a key that is not known."""
        return checks.bad_key(key)

    def read(self, body: dict[str, Any], headers: Mapping[str, str]) -> Prompt:
        """Read a request for a reply."""
        del headers
        return self._reader.read(body)

    def refused(self, refusal: Refusal, request_id: str) -> Answer:
        """Format an error."""
        del request_id
        return checks.error_answer(refusal)
