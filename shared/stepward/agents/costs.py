"""Show what was spent and what models cost, and keep the prices that a tenant has agreed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.requests import parse
from stepward.domain.costs import CostBy, CostSums, grouped, in_sum
from stepward.domain.errors import InvalidRequest, NotFound, StoreConflict
from stepward.domain.model_cards import ModelCard
from stepward.domain.money import Price
from stepward.domain.nearest import nearest
from stepward.models.calculators import calculator
from stepward.models.cards import ALIASES, card_of, list_prices, listed_models, model_id
from stepward.ports.clock import Clock
from stepward.ports.costs import AgreedPrices, CostBook, Prices, PriceStore

MOST_DAYS: Final = 92


@dataclass(frozen=True)
class ShowCosts:
    """The use case behind `GET /costs`."""

    book: CostBook
    clock: Clock

    def __call__(self, tenant: str, query: dict[str, str]) -> dict[str, Any]:
        """Add up the tenant's costs of some days, grouped; this month by default."""
        by = _by(query.get("by", CostBy.DAY))
        first, last = self._days(query)
        lines = self.book.lines(tenant, first.isoformat(), last.isoformat())
        groups = grouped(lines, by)
        return {
            "by": by.value,
            "from": first.isoformat(),
            "to": last.isoformat(),
            "costs": [
                {by.value: tenant if by is CostBy.TENANT else n, **_shown(s)} for n, s in groups.items()
            ],
            "total": _shown(in_sum(lines)),
        }

    def _days(self, query: dict[str, str]) -> tuple[date, date]:
        today = self.clock.now().astimezone(UTC).date()
        last = _day("to", query["to"]) if "to" in query else today
        first = _day("from", query["from"]) if "from" in query else last.replace(day=1)
        if first > last:
            raise InvalidRequest(f"from {first} is after to {last}.", field="from", fix="swap the two days")
        if (last - first).days >= MOST_DAYS:
            raise InvalidRequest(
                f"{first} to {last} are {(last - first).days + 1} days.",
                field="from",
                fix=f"ask for {MOST_DAYS} days at most",
            )
        return first, last


def _by(word: str) -> CostBy:
    if word not in set(CostBy):
        known = ", ".join(CostBy)
        raise InvalidRequest(f"by is {word[:40]!r}.", field="by", fix=f"use one of: {known}")
    return CostBy(word)


def _day(field: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InvalidRequest(f"{field} is {text[:40]!r}.", field=field, fix="write it as 2026-11-21")
    return day


def _shown(sums: CostSums) -> dict[str, int]:
    return {**sums.sums, "total_usd_micros": sums.total_usd_micros}


MOST_PRICES: Final = 200
_LONGEST_ID: Final = 119
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*(?:/[A-Za-z0-9][A-Za-z0-9._:-]*)*", re.ASCII)


@dataclass(frozen=True)
class TenantPrices:
    """The use cases behind `/prices`."""

    store: PriceStore

    def agreed(self, tenant: str | None) -> list[dict[str, Any]]:
        """Show what was agreed with one tenant only, or with None for all tenants only."""
        return [
            _shown_price(name, price, agreed=True)
            for name, price in sorted(self.store.versioned(tenant)[0].items())
        ]

    def current(self, tenant: str | None, model: str) -> dict[str, Any] | None:
        """Show the price in force for a tenant, or with None for all without a price of their own.

        Returns:
            The agreed one, else the list's; None for a model that has neither.
        """
        name = _name(model)
        agreed = self.store.versioned(None)[0] if tenant is None else self.store.of(tenant)
        price = agreed.get(name) or list_prices().get(name)
        return _shown_price(name, price, agreed=name in agreed) if price else None

    def show(self, tenant: str) -> dict[str, Any]:
        """Show the price of every model, agreed ones before the list's."""
        agreed = self.store.of(tenant)
        names = sorted({*list_prices(), *agreed})
        return {
            "prices": [_shown_price(n, agreed.get(n) or list_prices()[n], agreed=n in agreed) for n in names],
            "aliases": ALIASES,
        }

    def put(self, tenant: str | None, model: str, body: Any) -> dict[str, Any]:
        """Agree on a price, for a tenant or with None for all.

        It applies to calls made from a minute later on at the latest, never to calls that were booked.
        """
        name = _name(model)
        price = parse(Price, body)
        calculator(price.calculator).check(price)
        self._change(tenant, lambda prices: _with_price(prices, name, price))
        return _shown_price(name, price, agreed=True)

    def remove(self, tenant: str | None, model: str) -> None:
        """Return to the price that holds for all tenants, or with None to the list's."""
        name = _name(model)
        if name not in self.store.versioned(tenant)[0]:
            raise NotFound(
                f"no price was agreed for {name!r}.",
                field="model",
                fix=self._where(tenant, name),
            )
        self._change(tenant, lambda prices: {n: price for n, price in prices.items() if n != name})

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(5), reraise=True)
    def _where(self, tenant: str | None, name: str) -> str:
        if tenant is not None and name in self.store.versioned(None)[0]:
            return "its price holds for all tenants, and is the operator's to remove (on a laptop: --all-tenants)"
        return "GET /prices shows which were: `agreed`"

    def _change(self, tenant: str | None, change: Callable[[Prices], Prices]) -> None:
        prices, version = self.store.versioned(tenant)
        self.store.change(tenant, change(prices), version)


def _name(model: str) -> str:
    if len(model) > _LONGEST_ID or not _MODEL.fullmatch(model):
        raise InvalidRequest(
            f"{model[:80]!r} cannot be a model's id.",
            field="model",
            fix="use up to 119 letters, digits and ._:-, beginning with a letter or a digit; of a provider of your own: "
            "PROVIDER/MODEL",
        )
    return model_id(model)


def _with_price(prices: Prices, name: str, price: Price) -> Prices:
    if len({*prices, name}) > MOST_PRICES:
        raise InvalidRequest(
            f"there are {MOST_PRICES} agreed prices, which is the most.",
            field="model",
            fix="delete one first",
        )
    return {**prices, name: price}


def _shown_price(model: str, price: Price, *, agreed: bool) -> dict[str, Any]:
    return {"model": model, "agreed": agreed, **price.model_dump(mode="json", exclude_none=True)}


@dataclass(frozen=True)
class ShowModels:
    """The use cases behind `GET /models` and `GET /models/{model}`."""

    prices: AgreedPrices
    clock: Clock

    def list(self, tenant: str) -> dict[str, Any]:
        """List the known models, and those that have an agreed price.

        Args:
            tenant: Whose agreed prices hold.

        Returns:
            The models and what the aliases stand for.
        """
        agreed = self.prices.of(tenant)
        return {"models": [self._shown(card, agreed) for card in _cards(agreed)], "aliases": dict(ALIASES)}

    def one(self, tenant: str, name: str) -> dict[str, Any]:
        """Show one model.

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
    """Prices and a clock where no stage is asked: nothing was agreed, and the day is given."""

    today: datetime

    def of(self, tenant: str) -> Prices:
        del tenant
        return {}

    def now(self) -> datetime:
        return self.today


def by_list(today: datetime) -> ShowModels:
    """Show models by list prices, where no stage is asked.

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
    near = nearest(model_id(name), [*ALIASES, *listed_models(), *agreed])
    meant = f"did you mean {near!r}? " if near else ""
    return NotFound(
        f"there is no model {name[:120]!r}.",
        field="model",
        fix=f"{meant}GET /models lists them; PUT /prices/PROVIDER/MODEL adds one of a provider of your own",
    )
