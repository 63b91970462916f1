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

    def mark_started(self, key: RunKey, call: str, writer: str, newest_seq: int) -> CallItem | None:
        """Mark a call before its effect, as long as nothing has been written after `newest_seq`.

        None if the mark is ours now, the item if another's was there before. Raises `StoreConflict` when the place
        after it is taken: the run was cancelled, or has gone on without this call.
        """

    def put_result(self, key: RunKey, result: ToolResult) -> bool:
        """Keep a call's result if it has none; False if one was there: the first stays."""
