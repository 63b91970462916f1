"""Answer requests without a model's words: embeddings and lists of models."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from stepward.testing.fake_llm import openai_checks as checks
from stepward.testing.fake_llm.answers import Answer, json_answer
from stepward.testing.fake_llm.known_models import KnownModels, ModelLimits
from stepward.testing.fake_llm.prompts import tokens_of
from stepward.testing.fake_llm.replies import Refusal

_FIELDS: Final = frozenset({"input", "model", "dimensions", "encoding_format", "user"})
_MOST_TEXTS: Final = 2_048
_MOST_TOKENS: Final = 300_000
_PLACES: Final = 8
"""In how many places of a vector a word is seen."""


class Embedder:
    """Embed texts.

    Args:
        models: The known models.
    """

    def __init__(self, models: KnownModels) -> None:
        self._models = models

    def embed(self, body: dict[str, Any]) -> Answer:
        """Embed the texts of a request.

        Raises:
            Refusal: The API would refuse it.
        """
        checks.check_fields(body, _FIELDS)
        limits = self._models.find("openai", str(body["model"]))
        if limits is None or limits.dimensions is None:
            said = f"The model `{body['model']}` does not exist or you do not have access to it."
            raise Refusal(said, "missing", code="model_not_found")
        size = _dimensions(body, limits)
        texts = _texts(body.get("input"), limits)
        vectors = [_vector(text, size) for text in texts]
        tokens = sum(map(tokens_of, texts))
        data = [
            {"object": "embedding", "index": at, "embedding": _encoded(vector, body)}
            for at, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return json_answer({"object": "list", "data": data, "model": body["model"], "usage": usage})


def _dimensions(body: Mapping[str, Any], limits: ModelLimits) -> int:
    most = limits.dimensions or 1
    size = body.get("dimensions", most)
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= most:
        raise Refusal(
            f"Invalid value for 'dimensions' = {size}. Must be less than or equal to {most}.",
            param="dimensions",
            code="invalid_value",
        )
    return size


def _texts(given: Any, limits: ModelLimits) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) and one for one in texts):
        raise Refusal(
            "Invalid 'input': expected a text or a list of texts, none of them empty.", param="input"
        )
    if len(texts) > _MOST_TEXTS:
        said = f"Invalid 'input': array too long. Expected an array with maximum length {_MOST_TEXTS}."
        raise Refusal(said, param="input", code="array_above_max_length")
    counts = [tokens_of(text) for text in texts]
    if max(counts) > limits.context_tokens or sum(counts) > _MOST_TOKENS:
        said = f"This model's maximum context length is {limits.context_tokens} tokens, however you requested {max(counts)} tokens."
        raise Refusal(said, param="input", code="context_length_exceeded")
    return texts


def _vector(text: str, size: int) -> list[float]:
    vector = [0.0] * size
    for word in re.findall(r"\w+", text.lower()) or [text]:
        digest = hashlib.sha256(word.encode()).digest()
        for at in range(_PLACES):
            place, sign = struct.unpack_from(">HB", digest, 3 * at)
            vector[place % size] += 1.0 if sign % 2 else -1.0
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else [1.0, *vector[1:]]


def _encoded(vector: list[float], body: Mapping[str, Any]) -> Any:
    if body.get("encoding_format") == "base64":
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    return vector


_BORN: Final = "2026-01-01T00:00:00Z"
_BORN_S: Final = 1_767_225_600


class SimpleApi:
    """Answer requests without a reply of the script.

    Args:
        answer: Returns the answer to a body and headers.
    """

    request_id_header = "x-request-id"

    def __init__(self, answer: Callable[[dict[str, Any], Mapping[str, str]], Answer]) -> None:
        self._answer = answer

    def key(self, headers: Mapping[str, str]) -> str:
        """Return the key, under either vendor's header for it."""
        return headers.get("x-api-key", "").strip() or checks.bearer(headers)

    def bad_key(self, key: str) -> Refusal:
        """Refuse a key that is not known."""
        return checks.bad_key(key)

    def direct(self, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """Answer."""
        return self._answer(body, headers)

    def refused(self, refusal: Refusal, request_id: str) -> Answer:
        """Format an error."""
        del request_id
        return checks.error_answer(refusal)


class ModelLists:
    """List models in the format of the vendor that is asked.

    Args:
        models: The known models.
    """

    def __init__(self, models: KnownModels) -> None:
        self._models = models

    def answer(self, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """List all models, or show the one in the path."""
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
