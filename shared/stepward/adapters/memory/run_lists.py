"""The lists over heads in memory."""

from __future__ import annotations

from collections import Counter

from stepward.domain.run_lists import RunFilter, RunSlice, place_of
from stepward.domain.runs import RunHead, RunKey


class MemoryRunLists:
    """Lists the heads of a dictionary; `untold` are ended runs whose parents are not notified."""

    def __init__(self) -> None:
        self.heads: dict[RunKey, RunHead] = {}
        self.untold: set[RunKey] = set()

    def list_runs(
        self, tenant: str, wanted: RunFilter, *, limit: int, before: str | None = None
    ) -> RunSlice[RunHead]:
        """List runs, newest first."""
        found = [
            head
            for head in self.heads.values()
            if head.tenant == tenant and wanted.wants(head.agent, head.status, place_of(head), before)
        ]
        return RunSlice.cut(sorted(found, key=place_of, reverse=True), limit)

    def count_by_status(self, tenant: str, day: str) -> dict[str, int]:
        """Count a day's runs."""
        return dict(
            Counter(
                head.status.value
                for head in self.heads.values()
                if head.tenant == tenant and head.created_at.startswith(day)
            )
        )

    def open_runs(self, created_before: str, limit: int) -> list[RunHead]:
        """List runs that have not ended, or whose parents are not notified, oldest first."""
        found = [
            head
            for key, head in self.heads.items()
            if (not head.ended or key in self.untold) and head.created_at < created_before
        ]
        return sorted(found, key=lambda head: head.created_at)[:limit]
