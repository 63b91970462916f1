"""Agreed prices in the registry table: one item a tenant, one for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from stepward.adapters.aws.versioned_items import VersionedItem
from stepward.domain.money import Price
from stepward.ports.prices import Prices

_PRICES: Final[TypeAdapter[dict[str, Price]]] = TypeAdapter(dict[str, Price])


@dataclass(frozen=True)
class DynamoPrices:
    """The prices' items."""

    table: str

    def of(self, tenant: str) -> Prices:
        """Read the prices that hold for a tenant."""
        return {**self.versioned(None)[0], **self.versioned(tenant)[0]}

    def versioned(self, tenant: str | None) -> tuple[Prices, int]:
        """Read prices with their version."""
        body, version = self._item(tenant).read()
        return (_PRICES.validate_json(body) if body else {}), version

    def change(self, tenant: str | None, prices: Prices, version: int) -> None:
        """Write prices over the version that was read."""
        body = _PRICES.dump_json(dict(prices), exclude_defaults=True).decode()
        self._item(tenant).write(body, version)

    def _item(self, tenant: str | None) -> VersionedItem:
        if tenant is None:
            return VersionedItem.of_account(self.table, "prices")
        return VersionedItem.of_tenant(self.table, tenant, "prices")
