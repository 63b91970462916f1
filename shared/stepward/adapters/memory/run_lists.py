"""The lists over heads in memory."""

from __future__ import annotations

from collections import Counter

from stepward.domain.errors import InvalidRequest
from stepward.domain.runs import RunHead, RunKey
from stepward.ports.runtime_state import RunPage


class MemoryRunLists:
    """Lists what is in a dictionary of heads; `untold` are ended runs whose parents do not know yet."""

    def __init__(self) -> None:
        self.heads: dict[RunKey, RunHead] = {}
        self.untold: set[RunKey] = set()

    def list_runs(
        self, tenant: str, *, day: str | None, agent: str | None, limit: int, cursor: str | None
    ) -> RunPage:
        """List newest first; the cursor is the last run that was shown."""
        if cursor is not None and not any(head.run == cursor for head in self.heads.values()):
            raise InvalidRequest(
                "the cursor cannot be read.", field="cursor", fix="use `next_cursor` as it came"
            )
        found = [
            head
            for head in self.heads.values()
            if head.tenant == tenant
            and head.created_at.startswith(day or "")
            and agent in (None, head.agent)
            and (cursor is None or head.run < cursor)
        ]
        found.sort(key=lambda head: head.run, reverse=True)
        return RunPage(runs=found[:limit], cursor=found[limit - 1].run if len(found) > limit else None)

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
        """List runs that have not ended, or whose parent does not know of it, oldest first."""
        found = [
            head
            for key, head in self.heads.items()
            if (not head.ended or key in self.untold) and head.created_at < created_before
        ]
        return sorted(found, key=lambda head: head.created_at)[:limit]
