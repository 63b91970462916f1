"""The state of a run is a fold of its journal: the same records give the same state, always."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from stepward.domain.conversation import Exchange, ToolResult
from stepward.domain.errors import Bug
from stepward.domain.journal import (
    AnyRecord,
    CallItem,
    Cancel,
    Claimed,
    Created,
    End,
    Ended,
    Intent,
    JournalSlice,
    Results,
    Sequenced,
    Turn,
    Waiting,
)
from stepward.domain.runs import Totals


@dataclass
class RunState:
    """Everything that the next step of a run depends on, derived from its journal and from nothing else.

    `pending` is the newest reply while its calls have no results yet. `lost` holds, by writer, the reservations
    of model calls of which no reply came: they count as spent until that writer books the real cost.
    """

    created: Created | None = None
    seq: int = 0
    history: list[Exchange] = field(default_factory=list)
    pending: Turn | None = None
    pending_seq: int = 0
    owner: str | None = None
    intent: Intent | None = None
    lost: dict[str, int] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    waits: int = 0
    cancelled: Cancel | None = None
    end: End | None = None
    end_seq: int = 0
    calls: dict[str, CallItem] = field(default_factory=dict)

    @property
    def start(self) -> Created:
        """The first record; a journal without it is a bug."""
        if self.created is None:
            raise Bug("a journal begins with `created`, and this one does not")
        return self.created

    @property
    def spent_usd_micros(self) -> int:
        """What the run has cost, with reservations of lost and open calls counted as spent."""
        open_reserve = self.intent.reserve_usd_micros if self.intent else 0
        return self.totals.cost_usd_micros + sum(self.lost.values()) + open_reserve

    def billed_totals(self) -> Totals:
        """The totals as the head shows them: what a lost call reserved is in the cost."""
        return self.totals.model_copy(update={"cost_usd_micros": self.spent_usd_micros})

    def with_results(self, record: Results) -> RunState:
        """Tell what the state would be with these results, without taking them in."""
        ahead = replace(self, history=[*self.history])
        ahead.apply(Sequenced(seq=self.seq + 1, record=record))
        return ahead

    def apply(self, item: Sequenced) -> None:
        """Take in the next record."""
        if item.seq != self.seq + 1:
            raise Bug(f"the journal jumps from {self.seq} to {item.seq}")
        self.seq = item.seq
        self._apply_record(item.record)

    def _apply_record(self, record: AnyRecord) -> None:
        match record:
            case Created():
                self.created = record
            case Claimed():
                self._claim(record)
            case Turn():
                self._turn(record)
            case Results():
                self._results(record)
            case Waiting():
                self.intent = None
                self.waits += 1
            case Cancel():
                self.cancelled = record
            case Ended():
                self._finish(record.end)

    def _claim(self, record: Claimed) -> None:
        self._lose_open_call()
        self.owner, self.intent = record.writer, record.intent

    def _lose_open_call(self) -> None:
        if self.intent and self.owner:
            self.lost[self.owner] = self.lost.get(self.owner, 0) + self.intent.reserve_usd_micros
        self.intent = None

    def _turn(self, record: Turn) -> None:
        self._book(record)
        if record.late:
            self.lost.pop(record.writer, None)
            if record.writer == self.owner:
                self.intent = None
            return
        self.intent = None
        self.totals.turns += 1
        self.totals.tool_calls += len(record.reply.calls)
        if record.reply.calls:
            self.pending, self.pending_seq = record, self.seq
        else:
            self.history.append(Exchange(reply=record.reply))
        if record.end:
            self._finish(record.end)

    def _book(self, record: Turn) -> None:
        self.totals.cost_usd_micros += record.cost_usd_micros
        self.totals.input_tokens += record.reply.usage.input_tokens
        self.totals.output_tokens += record.reply.usage.output_tokens

    def _results(self, record: Results) -> None:
        if self.pending is None:
            raise Bug(f"results at {self.seq} answer no open turn")
        results = tuple(outcome.result or self._stored(outcome.call) for outcome in record.outcomes)
        self.history.append(Exchange(reply=self.pending.reply, results=results))
        self.pending, self.intent = None, record.intent

    def _stored(self, call: str) -> ToolResult:
        item = self.calls.get(call)
        if item is None or item.result is None:
            raise Bug(f"the journal refers to a result of {call} that is not there")
        return item.result

    def _finish(self, end: End) -> None:
        if end.unspent:
            self.intent = None
        self._lose_open_call()
        self.end, self.end_seq = end, self.seq


def fold(journal: JournalSlice) -> RunState:
    """Derive a run's state from its whole journal."""
    return fold_records(journal.records, journal.calls)


def fold_records(records: Iterable[Sequenced], calls: dict[str, CallItem]) -> RunState:
    """Derive a run's state from records in order and the call items that they refer to."""
    state = RunState(calls=dict(calls))
    for item in records:
        state.apply(item)
    return state
