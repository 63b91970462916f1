"""A journal in a dictionary, with the table's conditions; it refuses gaps as well."""

from __future__ import annotations

from threading import RLock

from stepward.domain.conversation import ToolResult
from stepward.domain.errors import StoreConflict
from stepward.domain.journal import AnyRecord, CallItem, JournalSlice, Sequenced
from stepward.domain.runs import RunKey


class MemoryJournal:
    """Keeps every run's records and call items; safe under threads."""

    def __init__(self) -> None:
        self._records: dict[RunKey, list[Sequenced]] = {}
        self._calls: dict[RunKey, dict[str, CallItem]] = {}
        self._lock = RLock()

    def append(self, key: RunKey, seq: int, record: AnyRecord) -> None:
        """Write record `seq` if there is none yet and the one before it exists."""
        with self._lock:
            records = self._records.setdefault(key, [])
            if seq == len(records) + 1:
                records.append(Sequenced(seq=seq, record=record))
            elif not (0 < seq <= len(records) and records[seq - 1].record == record):
                raise StoreConflict(f"record {seq} of {key.run} is taken.")

    def load(self, key: RunKey, from_seq: int = 1) -> JournalSlice:
        """Read records from a number on, with all call items."""
        return self.read(key, from_seq, len(self._records.get(key, [])))

    def read(self, key: RunKey, from_seq: int, limit: int) -> JournalSlice:
        """Read a page of records."""
        with self._lock:
            first = max(0, from_seq - 1)
            wanted = self._records.get(key, [])[first : first + limit]
            return JournalSlice(records=tuple(wanted), calls=dict(self._calls.get(key, {})))

    def newest(self, key: RunKey) -> Sequenced | None:
        """Read the last record."""
        with self._lock:
            records = self._records.get(key, [])
            return records[-1] if records else None

    def call(self, key: RunKey, call: str) -> CallItem | None:
        """Read one call's item."""
        return self._calls.get(key, {}).get(call)

    def mark_started(self, key: RunKey, call: str, writer: str) -> CallItem | None:
        """Mark a call; the first mark stays."""
        with self._lock:
            calls = self._calls.setdefault(key, {})
            before = calls.get(call)
            if before is None or (before.started_by == writer and before.result is None):
                calls[call] = CallItem(call=call, started_by=writer)
                return None
            return before

    def put_result(self, key: RunKey, result: ToolResult) -> bool:
        """Write a result; the first one stays, and the same one again is no second one."""
        with self._lock:
            calls = self._calls.setdefault(key, {})
            before = calls.get(result.call)
            if before and before.result:
                return before.result == result
            started_by = before.started_by if before else None
            calls[result.call] = CallItem(call=result.call, started_by=started_by, result=result)
            return True
