"""The journal: append-only, gap-free, one partition a run."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.conversation import ToolResult
from stepward.domain.journal import AnyRecord, CallItem, JournalSlice, Sequenced
from stepward.domain.runs import RunKey


class Journal(Protocol):
    """Reads are strongly consistent; a write that is lost to somebody else raises `StoreConflict`."""

    def append(self, key: RunKey, seq: int, record: AnyRecord) -> None:
        """Write record `seq` if nobody has; the same record written twice by its writer is one write."""

    def load(self, key: RunKey, from_seq: int = 1) -> JournalSlice:
        """Read the records from `from_seq` on, and the items of all remote calls."""

    def read(self, key: RunKey, from_seq: int, limit: int) -> JournalSlice:
        """Read at most `limit` records from `from_seq` on, and the call items that they refer to."""

    def newest(self, key: RunKey) -> Sequenced | None:
        """Read the last record alone; None for a run that does not exist."""

    def call(self, key: RunKey, call: str) -> CallItem | None:
        """Read what is known of one call, strongly consistent."""

    def mark_started(self, key: RunKey, call: str, writer: str) -> CallItem | None:
        """Mark a call before its effect; None if the mark is ours now, the item if it was there before."""

    def put_result(self, key: RunKey, result: ToolResult) -> bool:
        """Keep a call's result if it has none; False if one was there: the first stays."""
