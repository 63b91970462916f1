"""The state of a run: a fold of its journal, the same for the same records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from stepward.domain.aws_costs import AwsTally
from stepward.domain.conversation import Condensation, Exchange, ToolResult
from stepward.domain.errors import Bug
from stepward.domain.journal import (
    Admitted,
    AnyRecord,
    CallItem,
    Cancel,
    Claimed,
    Condensed,
    Continued,
    Created,
    End,
    Ended,
    HandedOver,
    Inherited,
    JournalSlice,
    Parked,
    Pause,
    Queued,
    Results,
    Resume,
    Sequenced,
    ToppedUp,
    Turn,
    Waiting,
)
from stepward.domain.ledger import Ledger
from stepward.domain.prompts import ResolvedPrompt
from stepward.domain.run_queue import RunBudget, Slot


@dataclass
class RunState:
    """Everything that the next step of a run depends on, derived from its journal alone.

    `pending` is the newest reply while its calls have no results yet. `slot` is the right to be active,
    `position` the one in the run queue while the run has none, and `left_position` where it was queued when it
    was paused; `parked_seq` is the sequence number of the newest `parked`; `idle_since` and `idle` are the
    time that does not count as active. `inherited_turns` came with a fork; `carrier` is the agent that
    carries the run on, if not the one it began with; `turns_by_agent` counts the turns that each of them has
    taken; `cuts` the replies that broke off since the newest turn, and `unanswered` has the codes by which
    each model has failed since then. `epoch` counts the executions that the run has had. `condensation` is
    what the model is shown in place of the history's beginning, and `measured_from` the first turn, counted
    from 0, whose usage tells how long the prompt of the next one is. `summary_tries` counts the calls that
    were to summarise for the next decision. `prompts` has the rendered prompts of the agents so far.
    """

    created: Created | None = None
    seq: int = 0
    history: list[Exchange] = field(default_factory=list)
    pending: Turn | None = None
    pending_seq: int = 0
    epoch: int = 1
    owner: str | None = None
    ledger: Ledger = field(default_factory=Ledger)
    waits: int = 0
    cuts: int = 0
    unanswered: dict[str, tuple[str, ...]] = field(default_factory=dict)
    slot: Slot | None = None
    position: str | None = None
    left_position: str | None = None
    parked: Parked | None = None
    parked_seq: int = 0
    paused: Pause | None = None
    idle_since: str | None = None
    idle: timedelta = timedelta()
    inherited_turns: int = 0
    carrier: HandedOver | None = None
    turns_by_agent: dict[str, int] = field(default_factory=dict)
    condensation: Condensation | None = None
    measured_from: int = 0
    summary_tries: int = 0
    prompts: dict[tuple[str, str], ResolvedPrompt | None] = field(default_factory=dict)
    cancelled: Cancel | None = None
    end: End | None = None
    end_seq: int = 0
    calls: dict[str, CallItem] = field(default_factory=dict)
    aws: AwsTally = field(default_factory=AwsTally)

    @property
    def start(self) -> Created:
        """The first record; a journal without it is a bug."""
        if self.created is None:
            raise Bug("a journal begins with `created`, and this one does not")
        return self.created

    @property
    def agent(self) -> HandedOver:
        """The agent that carries the run on."""
        start = self.start
        return self.carrier or HandedOver(agent=start.agent, version=start.version, prompt=start.prompt)

    @property
    def run_budgets(self) -> tuple[RunBudget, ...]:
        """The budgets of the workflows' runs that this one is a part of."""
        return self.start.parent.budgets if self.start.parent else ()

    @property
    def needs_slot(self) -> bool:
        """Whether the run may go on only with a slot; the journals of 0.1.0 know none."""
        return self.start.slot is not None or self.start.position is not None

    @property
    def turns(self) -> int:
        """How many turns there are, including those that a fork inherited."""
        return self.inherited_turns + self.ledger.totals.turns

    @property
    def own_turns(self) -> int:
        """How many turns the agent that carries the run on has taken in it."""
        return self.turns_by_agent.get(self.agent.agent, 0)

    @property
    def deadline(self) -> datetime:
        """When the run's time is over; time spent waiting for people, runs or a slot is added."""
        return datetime.fromisoformat(self.start.deadline_at) + self.idle

    def with_results(self, record: Results) -> RunState:
        """Return the state that these results would lead to, without applying them."""
        ahead = copy(self)
        ahead.history, ahead.ledger = [*self.history], copy(self.ledger)
        ahead.ledger.by_payee = dict(self.ledger.by_payee)
        ahead.aws = self.aws.copy()
        ahead.apply(Sequenced(seq=self.seq + 1, record=record))
        return ahead

    def apply(self, item: Sequenced) -> None:
        """Apply the next record."""
        if item.seq != self.seq + 1:
            raise Bug(f"the journal jumps from {self.seq} to {item.seq}")
        self.seq = item.seq
        self.aws.apply(item, self.calls)
        self._apply_record(item.record)

    def _apply_record(self, record: AnyRecord) -> None:
        match record:
            case Claimed():
                self.ledger.lose_open_call(self.owner)
                self.owner, self.ledger.intent = record.writer, record.intent
                self.summary_tries += bool(record.intent and record.intent.summarises)
            case Turn():
                self._turn(record)
            case Results():
                self._results(record)
            case Condensed():
                self.ledger.book_summary(record)
                self.condensation, self.measured_from = record.condensation, len(self.history)
                self.summary_tries = 0
            case Waiting():
                self.ledger.intent = None
                self.waits += record.is_retry and not self.summary_tries
                self._fail(record.unanswered, record.reason)
            case Cancel():
                self.cancelled = record
            case Ended():
                self._finish(record.end)
            case _:
                self._apply_slot_record(record)

    def _apply_slot_record(self, record: AnyRecord) -> None:
        """Apply what changes the run's slot, and not its progress."""
        match record:
            case Created():
                self.created, self.slot, self.position = record, record.slot, record.position
                self.prompts = {(record.agent, record.version): record.prompt}
                self.idle_since = record.at if record.position else None
                self.ledger.draw(record.allowance)
            case Inherited():
                self.history, self.inherited_turns = list(record.history), len(record.history)
                self._hand_over(HandedOver(agent=record.agent, version=record.version, prompt=record.prompt))
                self.turns_by_agent = record.turns_by_agent or {record.agent: len(record.history)}
                self.condensation, self.measured_from = record.condensation, len(record.history)
            case Admitted():
                self._admit(record)
            case Queued():
                self.position = record.position
            case Continued():
                # The writer of a new epoch knows that its open call was never made.
                self.epoch, self.ledger.intent = record.epoch, None
            case Parked():
                self._park(record)
            case ToppedUp():
                self.ledger.draw(record.allowance)
            case Pause():
                self.paused = record
                self.left_position, self.position = self.position, None
            case Resume():
                self.paused = None
                self.left_position, self.position = None, record.position or self.position

    def _hand_over(self, to: HandedOver) -> None:
        self.carrier = to
        self.prompts = {**self.prompts, (to.agent, to.version): to.prompt}

    def _admit(self, record: Admitted) -> None:
        self.slot, self.position, self.parked = record.slot, None, None
        self.ledger.draw(record.allowance)
        if self.idle_since:
            self.idle += datetime.fromisoformat(record.at) - datetime.fromisoformat(self.idle_since)
        self.idle_since = None

    def _park(self, record: Parked) -> None:
        self.ledger.intent = None  # the writer that parks a run knows that its open call was never made
        self.ledger.give_back()
        self.slot, self.idle_since = None, record.at
        self.parked, self.parked_seq = record, self.seq

    def _turn(self, record: Turn) -> None:
        self.ledger.book_turn(record)
        if record.late:
            self._late(record)
            return
        self.cuts, self.unanswered = 0, {}
        self.ledger.intent = None
        who = record.agent or self.agent.agent
        self.turns_by_agent = {**self.turns_by_agent, who: self.turns_by_agent.get(who, 0) + 1}
        if record.reply.calls:
            self.pending, self.pending_seq = record, self.seq
        else:
            self.history.append(Exchange(reply=record.reply, note=record.note))
        if record.end:
            self._finish(record.end)

    def _late(self, record: Turn) -> None:
        """Apply the bill of a reply that is not used.

        An overtaken writer has cut the reply itself, and a summary's counts among its own tries: neither says
        anything about the model.
        """
        self.ledger.lost.pop(record.writer, None)
        if record.writer != self.owner:
            return
        is_summary = self.ledger.intent is not None and self.ledger.intent.summarises
        if record.reply.stop == "cut" and not is_summary:
            self.cuts += 1
            self._fail((record.model or "",), "StreamCut")
        self.ledger.intent = None

    def _fail(self, models: Iterable[str], code: str) -> None:
        more = {model: (*self.unanswered.get(model, ()), code) for model in models}
        self.unanswered = {**self.unanswered, **more}

    def _results(self, record: Results) -> None:
        if self.pending is None:
            raise Bug(f"results at {self.seq} answer no open turn")
        results = tuple(outcome.result or self._stored(outcome.call) for outcome in record.outcomes)
        self.history.append(Exchange(reply=self.pending.reply, results=results))
        payee = (self.pending.agent or "", self.pending.model or "")
        for result in results:
            self.ledger.book_result(payee, result)
        self.pending, self.ledger.intent = None, record.intent
        if record.handed_over:
            # The next prompt is another agent's: the length of this agent's says nothing about it.
            self._hand_over(record.handed_over)
            self.measured_from = len(self.history)

    def _stored(self, call: str) -> ToolResult:
        item = self.calls.get(call)
        if item is None or item.result is None:
            raise Bug(f"the journal refers to a result of {call} that is not there")
        return item.result

    def _finish(self, end: End) -> None:
        if end.unspent:
            self.ledger.intent = None
        self.ledger.lose_open_call(self.owner)
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


def latest_step(records: Sequence[Sequenced]) -> Sequenced | None:
    """Return the last record that is not out of band: it tells how far the run has come."""
    return next((item for item in reversed(records) if not is_out_of_band(item.record)), None)


def is_out_of_band(record: AnyRecord) -> bool:
    """Return True if a run goes on past a record: a late bill, a pause or a resume."""
    return isinstance(record, Pause | Resume) or (isinstance(record, Turn) and record.late)
