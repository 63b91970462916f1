"""Runs: their heads and money, their journal, the machines that carry them, and what wakes those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.conversation import ToolResult
from stepward.domain.costs import CostLine
from stepward.domain.errors import Conflict
from stepward.domain.journal import (
    Admitted,
    AnyRecord,
    CallItem,
    Continued,
    Created,
    Inherited,
    JournalSlice,
    Parked,
    Pause,
    Queued,
    Resume,
    Sequenced,
    ToppedUp,
    Turn,
)
from stepward.domain.run_lists import RunFilter, RunSlice
from stepward.domain.run_queue import Allowance, Draw, QueuedRun, Slot
from stepward.domain.runs import Closing, RunHead, RunKey, Totals


class IdempotencyKey(BaseModel):
    """A caller's word that two requests are one; `body_sha256` tells if the caller was wrong."""

    model_config = ConfigDict(defer_build=True)

    principal: str
    key: str
    body_sha256: str
    expires_at: int


def key_used_before() -> Conflict:
    """The error for a key that came with another request, the same from every table."""
    return Conflict(
        "this Idempotency-Key was used with another request.",
        field="Idempotency-Key",
        fix="use a new key for a new request",
    )


@dataclass(frozen=True)
class SlotLimits:
    """How many runs may be active: of a tenant, and of all."""

    tenant: TenantLimits
    account: AccountLimits


@dataclass(frozen=True)
class NewRun:
    """Everything that a run's start writes. `inherited` follows the first record in a fork."""

    head: RunHead
    first: Created
    limits: SlotLimits
    draw: Draw | None = None
    idempotency: IdempotencyKey | None = None
    inherited: Inherited | None = None


@dataclass(frozen=True)
class Started:
    """The head as it was written, or that of the run which the same key started before.

    `asked` says of a run in line that whoever frees a slot will have the line looked at.
    """

    head: RunHead
    is_new: bool
    queued: bool = False
    asked: bool = False


@dataclass(frozen=True)
class NoSlot:
    """No slot is free; `asked` says that whoever frees one will have the line looked at."""

    asked: bool


@dataclass(frozen=True)
class Freed:
    """What giving a slot back has shown: who waits for one, so that they can be told."""

    done: bool
    tenant_waits: bool = False
    account_waits: bool = False


@dataclass(frozen=True)
class Settlement:
    """What the end of a run changes besides its head; `parked` is True if it waited.

    `tells_others`: the run stays in the janitor's list until those know of its end who have to do with it.
    """

    closing: Closing
    slot: Slot | None = None
    place: str | None = None
    parked: bool = False
    returns: tuple[Allowance, ...] = ()
    costs: tuple[CostLine, ...] = ()
    tells_others: bool = False


class RuntimeState(Protocol):
    """The runtime table; what it writes into the journal is part of the same transaction."""

    def start(self, new: NewRun) -> Started:
        """Create head, first record and idempotency record, with a slot or a queue entry.

        Raises `Conflict` when the key was used with another body, `BudgetExceeded` when a budget has too little.
        """

    def head(self, key: RunKey) -> RunHead | None:
        """Read a head, strongly consistent."""

    def admit(
        self, waiting: QueuedRun, at: str, writer: str, limits: SlotLimits, draw: Draw | None
    ) -> Admitted | NoSlot:
        """Give a run a slot and take it out of the line, with record `seq + 1`, if a slot is free.

        A budget that has too little gives nothing: the run learns it when it needs money.
        Raises `StoreConflict` when the journal has gone on.
        """

    def queue(self, waiting: QueuedRun, record: Queued) -> None:
        """Put a run that has begun at the head of the line, with record `seq + 1`."""

    def park(
        self, key: RunKey, seq: int, record: Parked, slot: Slot | None, returns: tuple[Allowance, ...]
    ) -> Freed:
        """Give slot and money back, with record `seq`.

        Raises:
            StoreConflict: Record `seq` is taken.
        """

    def hold(self, key: RunKey, seq: int, record: Pause, place: str | None) -> None:
        """Write that a run is to stand still, with record `seq`, and take it out of the line.

        Raises `StoreConflict` when the journal has gone on.
        """

    def release(self, key: RunKey, seq: int, record: Resume, waiting: QueuedRun | None) -> None:
        """Write that a run may go on, with record `seq`, and queue it again if it was queued.

        Raises `StoreConflict` when the journal has gone on.
        """

    def begin_epoch(self, key: RunKey, seq: int, record: Continued) -> None:
        """Write that the run goes on in a new execution, with record `seq`, into the head too.

        Raises `StoreConflict` when the journal has gone on, or the head is not in the epoch before or has ended.
        """

    def top_up(self, key: RunKey, seq: int, record: ToppedUp, draw: Draw) -> bool:
        """Draw once more, with record `seq`; False when a budget has too little."""

    def close(self, key: RunKey, settlement: Settlement) -> Freed:
        """Write the end and give back what the run holds; `done` is False if it had ended."""

    def mark_notified(self, key: RunKey) -> None:
        """Take an ended run off the list of runs with notifications still to be sent.

        Args:
            key: The run; one that is not on the list is left as it is.
        """

    def book_late(
        self,
        key: RunKey,
        seq: int,
        turn: Turn,
        totals: Totals,
        returns: tuple[Allowance, ...],
        cost: CostLine | None,
    ) -> None:
        """Append a late reply to an ended run's journal and book it, in one transaction.

        Raises `StoreConflict` when the place is taken or the head has no end yet.
        """


class RunLists(Protocol):
    """The lists over heads."""

    def list_runs(
        self, tenant: str, wanted: RunFilter, *, limit: int, before: str | None = None
    ) -> RunSlice[RunHead]:
        """List runs, newest first, that match and come after the place `before`."""

    def count_by_status(self, tenant: str, day: str) -> dict[str, int]:
        """Count a day's runs by status."""

    def open_runs(self, created_before: str, limit: int) -> list[RunHead]:
        """List runs of all tenants for which something may be left to do: the janitor's list.

        The list may lag behind the heads by moments; whoever acts on it looks at the run itself first.
        """


def has_begun(waiting: QueuedRun) -> bool:
    """Return True if a queued run had a slot before."""
    return not waiting.place or waiting.is_resume


def records_of(new: NewRun, first: Created) -> list[AnyRecord]:
    """The journal's first records of a run, in order."""
    return [first, new.inherited] if new.inherited else [first]


class Journal(Protocol):
    """Journals of runs; reads are strongly consistent, a lost write is a `StoreConflict`."""

    def append(self, key: RunKey, seq: int, record: AnyRecord) -> None:
        """Write record `seq` if it is not there; the writer's own repeat is one write."""

    def load(self, key: RunKey, from_seq: int = 1) -> JournalSlice:
        """Read the records from `from_seq` on, and the items of all remote calls."""

    def read(self, key: RunKey, from_seq: int, limit: int) -> JournalSlice:
        """Read at most `limit` records from `from_seq` on, and the call items that they refer to."""

    def newest(self, key: RunKey) -> Sequenced | None:
        """Read the last record alone; None for a run that does not exist."""

    def call(self, key: RunKey, call: str) -> CallItem | None:
        """Read what is known of one call, strongly consistent."""

    def mark_started(self, key: RunKey, call: str, writer: str) -> CallItem | None:
        """Mark a call before its effect; None if the mark is ours, else the item there was."""

    def put_result(self, key: RunKey, result: ToolResult) -> bool:
        """Keep a call's result if it has none; False if one was there: the first stays."""


class RunMachine(Protocol):
    """The `agent-run` machine."""

    def start(self, execution_name: str, key: RunKey) -> None:
        """Start a run's execution; the same name twice is one start."""

    def is_running(self, execution_name: str) -> bool:
        """Tell whether an execution goes on; one that never began does not."""

    def answer(self, token: str) -> bool:
        """End a wait; False when nobody waits with this token any more."""

    def stop(self, execution_name: str, error: str, cause: str) -> None:
        """End an execution if it is there and runs still."""


SLOT_CALL = "slot"
RESUME_CALL = "resume"
"""What a machine may wait for besides a call's result: a slot, and the word to go on."""


class Tokens(Protocol):
    """The newest token of each wait."""

    def keep(self, key: RunKey, call: str, token: str, made: str = "") -> bool:
        """Keep a wait's token in place of an older one; False if a newer one is kept.

        `made` sorts tokens by when the machine made them; without it the token that comes last is the newest.
        """

    def of(self, key: RunKey, call: str) -> str | None:
        """Read a wait's token, strongly consistent; None while the machine does not wait yet."""
