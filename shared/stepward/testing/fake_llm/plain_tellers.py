"""What is asked for without a model's words: embeddings, and which models there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from stepward.testing.fake_llm import openai_checks as checks
from stepward.testing.fake_llm.answers import Answer, json_answer
from stepward.testing.fake_llm.known_models import KnownModels
from stepward.testing.fake_llm.refusals import Refusal

_BORN: Final = "2026-01-01T00:00:00Z"
_BORN_S: Final = 1_767_225_600


class PlainTeller:
    """Answers requests that no reply is chosen for.

    Args:
        answer: Makes the answer of a body and headers.
    """

    request_id_header = "x-request-id"

    def __init__(self, answer: Callable[[dict[str, Any], Mapping[str, str]], Answer]) -> None:
        self._answer = answer

    def key(self, headers: Mapping[str, str]) -> str:
        """Find the key, under either vendor's name for it."""
        return headers.get("x-api-key", "").strip() or checks.bearer(headers)

    def bad_key(self, key: str) -> Refusal:
        """Refuse a key that is not known."""
        return checks.bad_key(key)

    def direct(self, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """Answer."""
        return self._answer(body, headers)

    def refused(self, refusal: Refusal, request_id: str) -> Answer:
        """Word an error."""
        del request_id
        return checks.error_answer(refusal)


class ModelLists:
    """Lists models as the vendor that is asked does.

    Args:
        models: The models that are known.
    """

    def __init__(self, models: KnownModels) -> None:
        self._models = models

    def answer(self, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """List all, or show the one that stands in the path."""
        is_anthropic = "anthropic-version" in headers
        shape = self._of_anthropic if is_anthropic else _of_openai
        names = self._models.names("anthropic" if is_anthropic else "openai")
        if body.get("model"):
            if body["model"] not in names:
                raise Refusal(
                    f"The model '{body['model']}' does not exist", "missing", code="model_not_found"
                )
            return json_answer(shape(body["model"]))
        listed = [shape(name) for name in names]
        ends = (
            {"has_more": False, "first_id": names[0], "last_id": names[-1]}
            if is_anthropic
            else {"object": "list"}
        )
        return json_answer({"data": listed, **ends})

    def _of_anthropic(self, name: str) -> dict[str, Any]:
        limits = self._models.find("anthropic", name)
        return {
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": _BORN,
            "lifecycle": "active",
            "max_input_tokens": limits.context_tokens if limits else None,
            "max_tokens": limits.max_output_tokens if limits else None,
        }


def _of_openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _BORN_S, "owned_by": "openai"}
