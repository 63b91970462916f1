"""Agreed prices in a dictionary, with the same conditions as the table."""

from __future__ import annotations

from threading import RLock

from stepward.domain.errors import StoreConflict
from stepward.ports.prices import Prices


class MemoryPrices:
    """Keeps each tenant's prices with a version, and under None those of all."""

    def __init__(self) -> None:
        self._prices: dict[str | None, tuple[Prices, int]] = {}
        self._lock = RLock()

    def of(self, tenant: str) -> Prices:
        """Read the prices that hold for a tenant."""
        return {**self.versioned(None)[0], **self.versioned(tenant)[0]}

    def versioned(self, tenant: str | None) -> tuple[Prices, int]:
        """Read prices with their version."""
        return self._prices.get(tenant, ({}, 0))

    def change(self, tenant: str | None, prices: Prices, version: int) -> None:
        """Write prices over the version that was read."""
        with self._lock:
            if self.versioned(tenant)[1] != version:
                raise StoreConflict("the prices were changed by somebody else.")
            self._prices[tenant] = (dict(prices), version + 1)
