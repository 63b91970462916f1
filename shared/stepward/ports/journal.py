"""Journals of runs."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.conversation import ToolResult
from stepward.domain.journal import (
    AnyRecord,
    CallItem,
    JournalSlice,
    Sequenced,
)
from stepward.domain.runs import RunKey


class Journal(Protocol):
    """Journals of runs; reads are strongly consistent, a lost write is a `StoreConflict`."""

    def append(self, key: RunKey, seq: int, record: AnyRecord) -> None:
        """Write a record if its number is free; the writer's own repeat is one write.

        Args:
            key: The run.
            seq: The record's sequence number, counted from 1.
            record: The record.

        Raises:
            StoreConflict: Another writer's record has this number.
        """

    def load(self, key: RunKey, from_seq: int = 1) -> JournalSlice:
        """Read a run's records, and the items of all remote calls.

        Args:
            key: The run.
            from_seq: The first sequence number, by default 1.

        Returns:
            The records in order, and the items.
        """

    def read(self, key: RunKey, from_seq: int, limit: int) -> JournalSlice:
        """Read some records, and the call items that they refer to.

        Args:
            key: The run.
            from_seq: The first sequence number.
            limit: How many records at most.

        Returns:
            The records in order, and the items.
        """

    def newest(self, key: RunKey) -> Sequenced | None:
        """Read the last record alone.

        Args:
            key: The run.

        Returns:
            The record; None for a run that does not exist.
        """

    def call(self, key: RunKey, call: str) -> CallItem | None:
        """Read the item of one call, strongly consistent.

        Args:
            key: The run.
            call: The call's id.

        Returns:
            The item; None where there is none.
        """

    def mark_started(self, key: RunKey, call: str, writer: str) -> CallItem | None:
        """Mark a call before its effect.

        Args:
            key: The run.
            call: The call's id.
            writer: The name of the writer.

        Returns:
            None if the mark is ours, else the item that was there.
        """

    def put_result(self, key: RunKey, result: ToolResult) -> bool:
        """Store a call's result if it has none.

        Args:
            key: The run.
            result: The result.

        Returns:
            False if there was one: the first stays.
        """
