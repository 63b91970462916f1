"""OpenAI's Embeddings API on the wire: vectors in which texts that share words are near each other."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from collections.abc import Mapping
from typing import Any, Final

from stepward.testing.fake_llm import openai_checks as checks
from stepward.testing.fake_llm.answers import Answer, json_answer
from stepward.testing.fake_llm.known_models import KnownModels, ModelLimits
from stepward.testing.fake_llm.prompts import tokens_of
from stepward.testing.fake_llm.refusals import Refusal

_FIELDS: Final = frozenset({"input", "model", "dimensions", "encoding_format", "user"})
_MOST_TEXTS: Final = 2_048
_MOST_TOKENS: Final = 300_000
_PLACES: Final = 8
"""In how many places of a vector a word is seen."""


class Embedder:
    """Embeds texts.

    Args:
        models: The models that are known.
    """

    def __init__(self, models: KnownModels) -> None:
        self._models = models

    def embed(self, body: dict[str, Any]) -> Answer:
        """Embed the texts of a request.

        Raises:
            Refusal: The API would not take it.
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
