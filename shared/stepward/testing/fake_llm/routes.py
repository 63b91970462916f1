"""Which protocol serves which path, and what a protocol does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from stepward.testing.fake_llm.answers import Answer
from stepward.testing.fake_llm.caching import CacheUse
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.refusals import Refusal
from stepward.testing.fake_llm.spoken import Spoken


class Speaker(Protocol):
    """One vendor's protocol."""

    @property
    def request_id_header(self) -> str:
        """Under which name the vendor gives a request's id."""

    def key(self, headers: Mapping[str, str]) -> str:
        """Find the key; raises `Refusal` where there is none."""

    def bad_key(self) -> Refusal:
        """Make the error for a key that is not known."""

    def read(self, body: dict[str, Any], headers: Mapping[str, str]) -> Prompt:
        """Read a request; raises `Refusal`."""

    def count(self, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """Answer how many tokens a request has; raises `Refusal`."""

    def cached(self, scope: str, prompt: Prompt) -> CacheUse:
        """Look a prompt up in the cache, and keep it."""

    def answer(self, said: Spoken) -> Answer:
        """Word a reply."""

    def refused(self, refusal: Refusal, request_id: str) -> Answer:
        """Word an error."""

    def error_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Word an error in the middle of a stream."""


@dataclass(frozen=True)
class Route:
    """Where a request goes; `counts` asks for tokens only, `model` stands in the path."""

    speaker: str
    counts: bool = False
    model: str | None = None


_ROUTES: Final = {
    "/v1/messages": Route("messages"),
    "/v1/messages/count_tokens": Route("messages", counts=True),
}


def find_route(method: str, path: str) -> Route | None:
    """Find who answers; None for what is not served."""
    return _ROUTES.get(urlsplit(path).path) if method == "POST" else None
