"""Which protocol serves which path, and what a protocol does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from stepward.testing.fake_llm.answers import Answer
from stepward.testing.fake_llm.caching import CacheUse
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.spoken import Spoken


class Door(Protocol):
    """What every protocol of a vendor has: a key, and words for errors."""

    @property
    def request_id_header(self) -> str:
        """Under which name the vendor gives a request's id."""

    def key(self, headers: Mapping[str, str]) -> str:
        """Find the key; raises `Refusal` where there is none."""

    def bad_key(self, key: str) -> Refusal:
        """Make the error for a key that is not known."""

    def refused(self, refusal: Refusal, request_id: str) -> Answer:
        """Word an error."""


class Teller(Door, Protocol):
    """A protocol that answers without a model's words, such as with a count of tokens."""

    def direct(self, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """Answer a request; raises `Refusal`."""


class Speaker(Door, Protocol):
    """A protocol in which a model speaks."""

    def read(self, body: dict[str, Any], headers: Mapping[str, str]) -> Prompt:
        """Read a request; raises `Refusal`."""

    def cached(self, scope: str, prompt: Prompt) -> CacheUse:
        """Look a prompt up in the cache, and keep it."""

    def answer(self, said: Spoken) -> Answer:
        """Word a reply."""

    def error_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Word an error in the middle of a stream."""


@dataclass(frozen=True)
class Route:
    """Where a request goes; `direct` asks no model to speak, `model` stands in the path, `streams` too."""

    speaker: str
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
    """Find who answers; None for what is not served."""
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
