"""Starts, heads, money and ends of runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.costs import CostLine
from stepward.domain.errors import Conflict
from stepward.domain.journal import (
    Admitted,
    AnyRecord,
    Continued,
    Created,
    Inherited,
    Parked,
    Pause,
    Queued,
    Resume,
    ToppedUp,
    Turn,
)
from stepward.domain.prompt_records import ArmCount
from stepward.domain.run_queue import Allowance, Draw, QueuedRun, Slot
from stepward.domain.runs import Closing, RunHead, RunKey, Totals
from stepward.ports.run_queue import Freed, NoSlot, SlotLimits


class IdempotencyKey(BaseModel):
    """A caller's claim that two requests are one; `body_sha256` tells if they differ."""

    model_config = ConfigDict(defer_build=True)

    principal: str
    key: str
    body_sha256: str
    expires_at: int


def key_used_before() -> Conflict:
    """Return the error for a key that came with another request."""
    return Conflict(
        "this Idempotency-Key was used with another request.",
        field="Idempotency-Key",
        fix="use a new key for a new request",
    )


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

    `asked` says of a queued run that a wake-up is requested for the next freed slot.
    """

    head: RunHead
    is_new: bool
    queued: bool = False
    asked: bool = False


@dataclass(frozen=True)
class Settlement:
    """What the end of a run changes besides its head; `parked` is True if it waited.

    `tells_others`: the run stays in the janitor's list until its end was reported to all runs that depend on
    it.
    """

    closing: Closing
    slot: Slot | None = None
    position: str | None = None
    parked: bool = False
    returns: tuple[Allowance, ...] = ()
    costs: tuple[CostLine, ...] = ()
    arm: ArmCount | None = None
    tells_others: bool = False


class RuntimeState(Protocol):
    """The runtime table; its writes to the journal are part of the same transaction."""

    def start(self, new: NewRun) -> Started:
        """Create head, first record and idempotency record, with a slot or a queue entry.

        Args:
            new: What is written.

        Returns:
            The run, or the one that the same key started before.

        Raises:
            Conflict: The idempotency key was used with another request.
            BudgetExceeded: A budget has too little for the first draw.
        """

    def head(self, key: RunKey) -> RunHead | None:
        """Read a head, strongly consistent.

        Args:
            key: The run.

        Returns:
            The head; None for a run that does not exist.
        """

    def admit(
        self, waiting: QueuedRun, at: str, writer: str, limits: SlotLimits, draw: Draw | None
    ) -> Admitted | NoSlot:
        """Give a queued run a slot and take it out of the queue, with record `seq + 1`.

        A budget that has too little gives nothing: the run learns it when it needs money.

        Args:
            waiting: The run's queue entry.
            at: The time, in UTC.
            writer: The name of the writer.
            limits: How many runs may be active.
            draw: What the run draws with its slot; None for nothing.

        Returns:
            The record, or that no slot is free.

        Raises:
            StoreConflict: The journal has more records than `seq`.
        """

    def queue(self, waiting: QueuedRun, record: Queued) -> None:
        """Queue a run that has begun ahead of all others, with record `seq + 1`.

        Args:
            waiting: The run's queue entry.
            record: The record.

        Raises:
            StoreConflict: The journal has more records than `seq`.
        """

    def park(
        self, key: RunKey, seq: int, record: Parked, slot: Slot | None, returns: tuple[Allowance, ...]
    ) -> Freed:
        """Return slot and money, with record `seq`.

        Args:
            key: The run.
            seq: The record's sequence number.
            record: The record.
            slot: The slot that the run holds, if any.
            returns: The allowances to return.

        Returns:
            Which queues wait for the freed slot.

        Raises:
            StoreConflict: Record `seq` is taken.
        """

    def hold(self, key: RunKey, seq: int, record: Pause, position: str | None) -> None:
        """Write that a run is to pause, with record `seq`, and remove it from the queue.

        Args:
            key: The run.
            seq: The record's sequence number.
            record: The record.
            position: The run's queue position; None if it is not queued.

        Raises:
            StoreConflict: Record `seq` is taken.
        """

    def release(self, key: RunKey, seq: int, record: Resume, waiting: QueuedRun | None) -> None:
        """Write that a run may continue, with record `seq`, and queue it again if it was queued.

        Args:
            key: The run.
            seq: The record's sequence number.
            record: The record.
            waiting: The new queue entry; None if the run was not queued.

        Raises:
            StoreConflict: Record `seq` is taken.
        """

    def begin_epoch(self, key: RunKey, seq: int, record: Continued) -> None:
        """Write that the run continues in a new execution, with record `seq`, into the head too.

        Args:
            key: The run.
            seq: The record's sequence number.
            record: The record.

        Raises:
            StoreConflict: Record `seq` is taken, or the head is not in the epoch before or has ended.
        """

    def top_up(self, key: RunKey, seq: int, record: ToppedUp, draw: Draw) -> bool:
        """Draw once more, with record `seq`.

        Args:
            key: The run.
            seq: The record's sequence number.
            record: The record.
            draw: What is drawn.

        Returns:
            False when a budget has too little; then nothing is written.

        Raises:
            StoreConflict: Record `seq` is taken.
        """

    def close(self, key: RunKey, settlement: Settlement) -> Freed:
        """Write the end and return what the run holds.

        Args:
            key: The run.
            settlement: The end, and what it changes.

        Returns:
            Which queues wait for the freed slot; `done` is False if the run had ended before.
        """

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

        Args:
            key: The run.
            seq: The record's sequence number.
            turn: The late reply.
            totals: The run's totals with it.
            returns: The allowances to return.
            cost: The line for the book of costs, if any.

        Raises:
            StoreConflict: Record `seq` is taken, or the head has no end yet.
        """


def has_begun(waiting: QueuedRun) -> bool:
    """Return True if a queued run had a slot before."""
    return not waiting.position or waiting.is_resume


def records_of(new: NewRun, first: Created) -> list[AnyRecord]:
    """Return the first records of a run's journal, in order."""
    return [first, new.inherited] if new.inherited else [first]
