"""Writes a run's journal as one of possibly several writers, of whom only the newest claim may go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.domain.errors import StoreConflict
from stepward.domain.journal import AnyRecord, End, Ended, Record, Sequenced, Turn
from stepward.domain.run_state import RunState, fold
from stepward.domain.runs import Closing, RunKey
from stepward.ports.clock import Clock, iso
from stepward.ports.journal import Journal
from stepward.ports.runtime_state import RuntimeState

R = TypeVar("R", bound=Record)
LATE_ATTEMPTS: Final = 10


@dataclass
class RunWriter:
    """One invocation's pen: every record goes to the next free place, or not at all."""

    journal: Journal
    runtime: RuntimeState
    clock: Clock
    key: RunKey
    name: str
    state: RunState

    @classmethod
    def open(cls, journal: Journal, runtime: RuntimeState, clock: Clock, key: RunKey, name: str) -> RunWriter:
        """Read the whole journal and take up the pen."""
        return cls(journal, runtime, clock, key, name, fold(journal.load(key)))

    def make(self, kind: type[R], **fields: Any) -> R:
        """Make a record with this writer's name and the time."""
        return kind(at=iso(self.clock.now()), writer=self.name, **fields)

    def append(self, record: AnyRecord) -> None:
        """Write the next record.

        time →   us: load(n) ─ model call ─ append(n+1) ✗        the place is taken
                 other writer:     append(n+1) ✓                 a newer claim, a cancel or an end
        The place decides who goes on; `StoreConflict` tells us that it is not us.
        """
        while True:
            seq = self.state.seq + 1
            try:
                self.journal.append(self.key, seq, record)
            except StoreConflict:
                if not self._only_late_replies():
                    raise
                continue
            self.state.apply(Sequenced(seq=seq, record=record))
            return

    def _only_late_replies(self) -> bool:
        """Take in what others wrote, if it is only the bill of somebody who has lost the run: we go on."""
        fresh = self.journal.load(self.key, self.state.seq + 1).records
        late = [item for item in fresh if isinstance(item.record, Turn) and item.record.late]
        if not fresh or len(late) < len(fresh):
            return False
        for item in late:
            self.state.apply(item)
        return True

    def refresh_calls(self) -> None:
        """Read the items of the open turn's calls again."""
        self.state.calls = self.journal.load(self.key, self.state.seq + 1).calls

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(LATE_ATTEMPTS), reraise=True)
    def book_late(self, turn: Turn) -> None:
        """Keep a paid reply that nobody waits for any more: its cost counts, its words do not."""
        late = turn.model_copy(update={"late": True, "end": None})
        self.state = fold(self.journal.load(self.key))
        if self.state.end is None:
            self.append(late)
            return
        self.settle()
        item = Sequenced(seq=self.state.seq + 1, record=late)
        self.state.apply(item)
        self.runtime.book_late(self.key, item.seq, late, self.state.billed_totals())

    def end(self, end: End) -> None:
        """Write the end as a record of its own, unless there is one, then close the head by the one that counts."""
        if self.state.end is None:
            self.append(self.make(Ended, end=end))
        self.settle()

    def settle(self) -> None:
        """Close the head by what the journal says; safe to repeat, by anybody."""
        state = self.state
        if state.end is None:
            return
        closing = Closing(
            status=state.end.status,
            ended_at=iso(self.clock.now()),
            ended_seq=state.end_seq,
            error=state.end.error,
            totals=state.billed_totals(),
        )
        self.runtime.close(self.key, closing)
