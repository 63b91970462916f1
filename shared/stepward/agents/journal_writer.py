"""Write a run's journal among several writers, of which only the newest claim continues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from tenacity import Retrying, retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.finalize import Finalize, late_line
from stepward.agents.run_ports import RunPorts
from stepward.domain.errors import StoreConflict
from stepward.domain.journal import (
    AnyRecord,
    Continued,
    End,
    Ended,
    Parked,
    Queued,
    Record,
    Sequenced,
    ToppedUp,
    Turn,
)
from stepward.domain.run_queue import Allowance, Draw, QueuedRun
from stepward.domain.run_state import RunState, fold, is_out_of_band
from stepward.domain.runs import RunKey
from stepward.ports.clock import iso
from stepward.ports.run_queue import Freed, NoSlot

R = TypeVar("R", bound=Record)
W = TypeVar("W")
LATE_ATTEMPTS: Final = 10
BETWEEN_ATTEMPTS: Final = 100


@dataclass
class RunWriter:
    """Writes one invocation's records: each to the next free sequence number, or not at all."""

    ports: RunPorts
    key: RunKey
    name: str
    state: RunState

    @classmethod
    def open(cls, ports: RunPorts, key: RunKey, name: str) -> RunWriter:
        """Read the whole journal and prepare to write."""
        return cls(ports, key, name, fold(ports.journal.load(key)))

    def make(self, kind: type[R], **fields: Any) -> R:
        """Make a record with this writer's name and the time."""
        return kind(at=iso(self.ports.clock.now()), writer=self.name, **fields)

    def append(self, record: AnyRecord) -> None:
        """Write the next record.

        time →   us: load(n) ─ model call ─ append(n+1) ✗        the number is taken
                 other writer:     append(n+1) ✓                 a newer claim, a cancel or an end
        The number decides who continues; `StoreConflict` tells us that it is not us.
        """
        self._placed(record, lambda: self.ports.journal.append(self.key, self.state.seq + 1, record))

    def between_steps(self, write: Callable[[], W]) -> W:
        """Write between the steps of the invocation that advances the run, however quick they are.

        time →   advance: n+1 ✓ n+2 ✓ … faster than the whole journal can be read
                 we:      n+1 ✗ ─ read what is new ─ n+3 ✗ ─ read what is new ─ n+4 ✓

        Args:
            write: Checks the state and writes; it is called again with the state as it has become.

        Returns:
            What `write` returns.

        Raises:
            StoreConflict: Another writer was faster each of 100 times.
        """
        attempts = Retrying(
            retry=retry_if_exception_type(StoreConflict),
            stop=stop_after_attempt(BETWEEN_ATTEMPTS),
            before_sleep=lambda _: self._catch_up(),
            reraise=True,
        )
        return attempts(write)

    def _catch_up(self) -> None:
        fresh = self.ports.journal.load(self.key, self.state.seq + 1)
        self.state.calls = fresh.calls
        for item in fresh.records:
            self.state.apply(item)

    def park(self, record: Parked) -> None:
        """Return slot and unused money while the run waits, and wake runs that wait for a slot."""
        freed = self._placed(record, lambda: self._park_now(record))
        self.ports.wake_waiting(freed, self.key.tenant)

    def _park_now(self, record: Parked) -> Freed:
        state = self.state
        unreserved = replace(state.ledger, intent=None)  # a call that was reserved for is not made any more
        returns = unreserved.returns()
        return self.ports.runtime.park(self.key, state.seq + 1, record, state.slot, returns)

    def admit(self, cost_limit_usd_micros: int) -> bool:
        """Take a slot for a run that has begun; False when none is free."""
        tenant, agent = self.key.tenant, self.state.start.agent
        now, limits = iso(self.ports.clock.now()), self.ports.slot_limits(tenant)
        draw = self.ports.first_draw(
            tenant, agent, cost_limit_usd_micros, self.state.run_budgets, charged=self.state.start.charged
        )
        record = self._insist(
            lambda: self.ports.runtime.admit(self._queued_run(""), now, self.name, limits, draw)
        )
        if isinstance(record, NoSlot):
            return False
        self._take_in(record)
        return True

    def queue(self, position: str) -> None:
        """Join the run queue, and ask for it to be served."""
        record = self.make(Queued, position=position)
        self._placed(record, lambda: self.ports.runtime.queue(self._queued_run(position), record))
        self.ports.wake_ups.send(self.key.tenant)

    def top_up(self, draw: Draw) -> bool:
        """Draw more money; False when a budget has too little."""
        record = self.make(ToppedUp, allowance=draw.allowance)
        top_up = self.ports.runtime.top_up
        done = self._insist(lambda: top_up(self.key, self.state.seq + 1, record, draw))
        if done:
            self._take_in(record)
        return done

    def begin_epoch(self) -> None:
        """Write that the run continues in a new execution."""
        record = self.make(Continued, epoch=self.state.epoch + 1)
        begin = self.ports.runtime.begin_epoch
        self._placed(record, lambda: begin(self.key, self.state.seq + 1, record))

    def _queued_run(self, position: str) -> QueuedRun:
        key, state, start = self.key, self.state, self.state.start
        return QueuedRun(
            tenant=key.tenant,
            run=key.run,
            position=position,
            seq=state.seq,
            agent=start.agent,
            charged=start.charged,
        )

    def _placed(self, record: AnyRecord, write: Callable[[], W]) -> W:
        written = self._insist(write)
        self._take_in(record)
        return written

    def _insist(self, write: Callable[[], W]) -> W:
        """Write at the next number, and again if only out-of-band records came before us."""
        while True:
            try:
                return write()
            except StoreConflict:
                if not self._only_out_of_band():
                    raise

    def _take_in(self, record: AnyRecord) -> None:
        self.state.apply(Sequenced(seq=self.state.seq + 1, record=record))

    def _only_out_of_band(self) -> bool:
        """Read what others wrote; True if we may continue.

        Those are late bills of overtaken writers, and records about pausing.
        """
        fresh = self.ports.journal.load(self.key, self.state.seq + 1).records
        if not fresh or not all(is_out_of_band(item.record) for item in fresh):
            return False
        for item in fresh:
            self.state.apply(item)
        return True

    def is_overtaken(self) -> bool:
        """Check whether another writer has written what stops us."""
        fresh = self.ports.journal.load(self.key, self.state.seq + 1).records
        return not all(is_out_of_band(item.record) for item in fresh)

    def refresh_calls(self) -> None:
        """Read the items of the open turn's calls again."""
        self.state.calls = self.ports.journal.load(self.key, self.state.seq + 1).calls

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(LATE_ATTEMPTS), reraise=True)
    def book_late(self, turn: Turn) -> None:
        """Book a paid reply that came too late: its cost counts, its text is dropped."""
        late = turn.model_copy(update={"late": True, "end": None})
        self.state = fold(self.ports.journal.load(self.key))
        if self.state.end is None:
            self.append(late)
            return
        self.finalize()
        before = self.state.ledger.spent_usd_micros
        item = Sequenced(seq=self.state.seq + 1, record=late)
        self.state.apply(item)
        self._book_after_the_end(item.seq, late, self.state.ledger.spent_usd_micros - before)

    def _book_after_the_end(self, seq: int, late: Turn, more_usd_micros: int) -> None:
        """Book what the reply has cost beyond its reservation, which the end had booked as spent."""
        ledger = self.state.ledger
        returns: tuple[Allowance, ...] = ()
        if more_usd_micros and ledger.last_budgets:
            returns = (Allowance(usd_micros=-more_usd_micros, budgets=ledger.last_budgets),)
        line = late_line(self.state, late, late.at[:10], more_usd_micros)
        self.ports.runtime.book_late(self.key, seq, late, ledger.billed_totals(), returns, line)

    def end(self, end: End) -> None:
        """Write the end unless there is one, then finalize by the one that counts."""
        if self.state.end is None:
            self.append(self.make(Ended, end=end))
        self.finalize()

    def finalize(self) -> None:
        """Finalize by what the journal says; safe to repeat, by any function."""
        Finalize(self.ports)(self.key, self.state)
