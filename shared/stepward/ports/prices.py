"""Prices that were agreed otherwise than by list: for one tenant, or for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from stepward.domain.money import Price

Prices = Mapping[str, Price]
"""Prices by the model's id."""


class AgreedPrices(Protocol):
    """Reads what was agreed; who asks at every call may be answered from memory of a minute."""

    def of(self, tenant: str) -> Prices:
        """Read the prices that hold for a tenant: its own before those of all."""


class PriceStore(AgreedPrices, Protocol):
    """Reads agreed prices as they are now, and changes them."""

    def versioned(self, tenant: str | None) -> tuple[Prices, int]:
        """Read a tenant's own prices, or with None those of all, with their version."""

    def change(self, tenant: str | None, prices: Prices, version: int) -> None:
        """Write prices over the version that was read; raises `StoreConflict` when somebody else wrote first."""
