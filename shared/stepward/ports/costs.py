"""The book of costs: sums a day, agent and model, which runs add to when they end."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.costs import CostLine


class CostBook(Protocol):
    """The sums of tenants."""

    def lines(self, tenant: str, first_day: str, last_day: str) -> list[CostLine]:
        """Read a tenant's lines of some days, both included: one line a day, agent and model."""
