"""Lists of agents' runs."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.run_lists import RunFilter, RunSlice
from stepward.domain.runs import RunHead


class RunLists(Protocol):
    """Lists of heads."""

    def list_runs(
        self, tenant: str, wanted: RunFilter, *, limit: int, before: str | None = None
    ) -> RunSlice[RunHead]:
        """List runs that match a filter.

        Args:
            tenant: Whose runs.
            wanted: The filter.
            limit: How many at most.
            before: The `reached` of the slice before; None for the newest runs.

        Returns:
            The runs, newest first.
        """

    def count_by_status(self, tenant: str, day: str) -> dict[str, int]:
        """Count a day's runs by status.

        Args:
            tenant: Whose runs.
            day: A UTC day, as 2026-11-21.

        Returns:
            Counts by status.
        """

    def open_runs(self, created_before: str, limit: int) -> list[RunHead]:
        """List runs that may need attention, for the janitor.

        The list may lag behind the heads by moments, so a run is read before it is acted on.

        Args:
            created_before: The time before which they were started, in UTC.
            limit: How many at most.

        Returns:
            Runs of all tenants.
        """
