"""Shows what models cost, and keeps what a tenant has agreed otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.requests import parse
from stepward.domain.errors import InvalidRequest, NotFound, StoreConflict
from stepward.domain.money import Price
from stepward.models.calculators import calculator
from stepward.models.cards import ALIASES, list_prices, model_id
from stepward.ports.prices import Prices, PriceStore

MOST_PRICES: Final = 200
_LONGEST_ID: Final = 119
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*(?:/[A-Za-z0-9][A-Za-z0-9._:-]*)*", re.ASCII)


@dataclass(frozen=True)
class TenantPrices:
    """The use cases behind `/prices`."""

    store: PriceStore

    def agreed(self, tenant: str | None) -> list[dict[str, Any]]:
        """Show what was agreed with one tenant, or with None for all of them, and nothing else."""
        return [
            _shown(name, price, agreed=True)
            for name, price in sorted(self.store.versioned(tenant)[0].items())
        ]

    def current(self, tenant: str | None, model: str) -> dict[str, Any] | None:
        """Show the price that holds for a tenant, or with None for all that have none of their own.

        Returns:
            The agreed one, else the list's; None for a model that has neither.
        """
        name = _name(model)
        agreed = self.store.versioned(None)[0] if tenant is None else self.store.of(tenant)
        price = agreed.get(name) or list_prices().get(name)
        return _shown(name, price, agreed=name in agreed) if price else None

    def show(self, tenant: str) -> dict[str, Any]:
        """Show the price of every model, agreed ones before the list's."""
        agreed = self.store.of(tenant)
        names = sorted({*list_prices(), *agreed})
        return {
            "prices": [_shown(n, agreed.get(n) or list_prices()[n], agreed=n in agreed) for n in names],
            "aliases": ALIASES,
        }

    def put(self, tenant: str | None, model: str, body: Any) -> dict[str, Any]:
        """Agree on a price, for a tenant or with None for all; it holds for calls from within a minute, never for those that were booked."""
        name = _name(model)
        price = parse(Price, body)
        calculator(price.calculator).check(price)
        self._change(tenant, lambda prices: _with_price(prices, name, price))
        return _shown(name, price, agreed=True)

    def remove(self, tenant: str | None, model: str) -> None:
        """Go back to the price that holds for all, or with None to the list's."""
        name = _name(model)
        if name not in self.store.versioned(tenant)[0]:
            raise NotFound(
                f"no price was agreed for {name!r}.",
                field="model",
                fix="GET /prices shows which were: `agreed`",
            )
        self._change(tenant, lambda prices: {n: price for n, price in prices.items() if n != name})

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(5), reraise=True)
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


def _shown(model: str, price: Price, *, agreed: bool) -> dict[str, Any]:
    return {"model": model, "agreed": agreed, **price.model_dump(mode="json", exclude_none=True)}
