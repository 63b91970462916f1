"""Heads of runs in a dictionary, with the same conditions as the table."""

from __future__ import annotations

from collections import Counter
from threading import RLock

from stepward.adapters.memory.journal import MemoryJournal
from stepward.domain.errors import InvalidRequest, StoreConflict
from stepward.domain.journal import Created, Turn
from stepward.domain.runs import Closing, RunHead, RunKey, Totals
from stepward.ports.runtime_state import IdempotencyKey, RunPage, key_used_before


class MemoryRuntimeState:
    """Keeps heads and idempotency records; starts write into the given journal, as one step."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self._heads: dict[RunKey, RunHead] = {}
        self._keys: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._lock = RLock()

    def start(self, head: RunHead, first: Created, idempotency: IdempotencyKey | None) -> RunHead:
        """Create head and first record, unless the key did before."""
        with self._lock:
            if idempotency:
                place = (head.tenant, idempotency.principal, idempotency.key)
                body, run = self._keys.setdefault(place, (idempotency.body_sha256, head.run))
                if body != idempotency.body_sha256:
                    raise key_used_before()
                if run != head.run:
                    return self._heads[RunKey(tenant=head.tenant, run=run)]
            self._journal.append(head.key, 1, first)
            self._heads[head.key] = head
            return head

    def head(self, key: RunKey) -> RunHead | None:
        """Read a head."""
        return self._heads.get(key)

    def close(self, key: RunKey, closing: Closing) -> bool:
        """Write the end once."""
        with self._lock:
            if self._heads[key].ended:
                return False
            self._heads[key] = self._heads[key].model_copy(update=dict(closing))
            return True

    def book_late(self, key: RunKey, seq: int, turn: Turn, totals: Totals) -> None:
        """Append and count, or neither."""
        with self._lock:
            if not self._heads[key].ended:
                raise StoreConflict(f"{key.run} has not ended.")
            self._journal.append(key, seq, turn)
            self._heads[key] = self._heads[key].model_copy(update={"totals": totals})

    def list_runs(
        self, tenant: str, *, day: str | None, agent: str | None, limit: int, cursor: str | None
    ) -> RunPage:
        """List newest first; the cursor is the last run that was shown."""
        if cursor is not None and not any(head.run == cursor for head in self._heads.values()):
            raise InvalidRequest(
                "the cursor cannot be read.", field="cursor", fix="use `next_cursor` as it came"
            )
        found = [
            head
            for head in self._heads.values()
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
                for head in self._heads.values()
                if head.tenant == tenant and head.created_at.startswith(day)
            )
        )

    def open_runs(self, created_before: str, limit: int) -> list[RunHead]:
        """List runs that have not ended, oldest first."""
        found = [head for head in self._heads.values() if not head.ended and head.created_at < created_before]
        return sorted(found, key=lambda head: head.created_at)[:limit]
