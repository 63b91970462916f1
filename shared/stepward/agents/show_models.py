"""Shows the models that agents can name: what they can do, what they cost, when they end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from stepward.domain.errors import NotFound
from stepward.domain.model_cards import ModelCard
from stepward.domain.money import Price
from stepward.models.cards import ALIASES, card_of, listed_models, model_id
from stepward.ports.clock import Clock
from stepward.ports.prices import AgreedPrices, Prices


@dataclass(frozen=True)
class ShowModels:
    """The use cases behind `GET /models` and `GET /models/{model}`."""

    prices: AgreedPrices
    clock: Clock

    def list(self, tenant: str) -> dict[str, Any]:
        """List all that are known, and those that have an agreed price.

        Args:
            tenant: Whose agreed prices hold.

        Returns:
            The models and what the aliases stand for.
        """
        agreed = self.prices.of(tenant)
        return {"models": [self._shown(card, agreed) for card in _cards(agreed)], "aliases": dict(ALIASES)}

    def one(self, tenant: str, name: str) -> dict[str, Any]:
        """Show one.

        Args:
            tenant: Whose agreed prices hold.
            name: The model's id, or an alias.

        Returns:
            All that is known of it.

        Raises:
            NotFound: It is not listed and has no agreed price.
        """
        agreed = self.prices.of(tenant)
        card = card_of(name, agreed)
        if card is None:
            raise _unknown(name, agreed)
        return self._shown(card, agreed)

    def _shown(self, card: ModelCard, agreed: Mapping[str, Price]) -> dict[str, Any]:
        today = self.clock.now().date()
        soon = "ends_soon" if card.ends_soon(today) else "active"
        # Of a model that has ended without a price only its end is known.
        unknown = {"capabilities", "max_call_s"} if card.price is None else set[str]()
        return {
            **card.model_dump(mode="json", exclude_none=True, exclude=unknown),
            "status": "ended" if card.ended(today) else soon,
            "aliases": [alias for alias, model in ALIASES.items() if model == card.id],
            "price_agreed": card.id in agreed,
        }


@dataclass(frozen=True)
class _ByList:
    """Stands where there is no stage: nothing was agreed, and the day is the one that was given."""

    today: datetime

    def of(self, tenant: str) -> Prices:
        del tenant
        return {}

    def now(self) -> datetime:
        return self.today


def by_list(today: datetime) -> ShowModels:
    """Show models as they are where no stage is asked.

    Args:
        today: The time by which they have ended or end soon.
    """
    return ShowModels(_ByList(today), _ByList(today))


def _cards(agreed: Mapping[str, Price]) -> Iterator[ModelCard]:
    own = sorted(agreed.keys() - set(listed_models()))
    for model in (*listed_models(), *own):
        card = card_of(model, agreed)
        if card is not None:
            yield card


def _unknown(name: str, agreed: Mapping[str, Price]) -> NotFound:
    near = get_close_matches(model_id(name), [*ALIASES, *listed_models(), *agreed], n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return NotFound(
        f"there is no model {name[:120]!r}.",
        field="model",
        fix=f"{meant}GET /models lists them; PUT /prices/PROVIDER/MODEL adds one of a provider of your own",
    )
