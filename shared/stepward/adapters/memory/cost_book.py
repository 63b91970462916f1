"""The book of costs in a list."""

from __future__ import annotations

from stepward.domain.costs import CostLine, added_up


class MemoryCostBook:
    """Keeps what was added."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, CostLine]] = []

    def add(self, tenant: str, line: CostLine) -> None:
        """Add a line's numbers."""
        self._lines.append((tenant, line))

    def lines(self, tenant: str, first_day: str, last_day: str) -> list[CostLine]:
        """Read the lines of some days."""
        return added_up(
            line for owner, line in self._lines if owner == tenant and first_day <= line.day <= last_day
        )
