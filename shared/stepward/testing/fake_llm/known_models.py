"""The provider's models with their limits: listed ones, and those of a test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from stepward.domain.model_cards import Capabilities, ModelCard
from stepward.models.cards import listed_card, listed_models

_REGION: Final = re.compile(r"^(?:us|eu|apac|jp|au|global)\.")
_DIMENSIONS: Final = {"text-embedding-3-small": 1_536, "text-embedding-3-large": 3_072}


@dataclass(frozen=True)
class ModelLimits:
    """Limits of a model.

    Args:
        context_tokens: The window for prompt and reply together. Default: 200,000.
        max_output_tokens: The longest reply. Default: 64,000.
        dimensions: The size of an embedding. Default: None, for a model that talks.
        capabilities: What it supports. Default: None, for everything.
        counts_cache_writes: Whether tokens written into the prompt cache are counted apart. Default: True.

    Example:
        >>> ModelLimits(context_tokens=8_000).max_output_tokens
        64000
    """

    context_tokens: int = 200_000
    max_output_tokens: int = 64_000
    dimensions: int | None = None
    capabilities: Capabilities | None = None
    counts_cache_writes: bool = True


class KnownModels:
    """Find models by their vendors' names.

    Args:
        more: Models beside the listed ones, or with other limits; every protocol has them.
    """

    def __init__(self, more: Mapping[str, ModelLimits]) -> None:
        self._more = dict(more)

    def find(self, provider: str, name: str) -> ModelLimits | None:
        """Return a provider's model; None for an unknown or an ended one."""
        if provider == "bedrock" and name not in self._more:
            name = _REGION.sub("", name.rpartition("/")[2])
        return self._more.get(name) or _listed(provider).get(name)

    def names(self, provider: str) -> list[str]:
        """List the models of a provider."""
        return [*self._more, *_listed(provider)]


def _listed(provider: str) -> dict[str, ModelLimits]:
    today = datetime.now(UTC).date()
    cards = [card for card in map(listed_card, listed_models()) if card and card.provider == provider]
    found = {_REGION.sub("", card.vendor_id): _limits(card) for card in cards if not card.ended(today)}
    # The vendors themselves take a name without its date too; on Bedrock a name is an id and nothing else is.
    short = (
        {} if provider == "bedrock" else {card.id: _limits(card) for card in cards if not card.ended(today)}
    )
    return {**found, **short}


def _limits(card: ModelCard) -> ModelLimits:
    return ModelLimits(
        card.max_input_tokens or card.context_tokens or 200_000,
        card.max_output_tokens or 0,
        _DIMENSIONS.get(card.vendor_id),
        card.capabilities,
        card.price is not None and card.price.cache_write_usd_per_mtok is not None,
    )
