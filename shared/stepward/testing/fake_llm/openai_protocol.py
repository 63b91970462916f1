"""The part that OpenAI's APIs share on the wire: keys, request ids, reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from stepward.testing.fake_llm import openai_checks as checks
from stepward.testing.fake_llm.answers import Answer
from stepward.testing.fake_llm.caching import PromptCache
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.replies import Refusal


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
