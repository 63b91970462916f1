"""Close runs whose machine is gone, and start those whose machine never began."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from stepward.agents.call_limits import cancelled, failure
from stepward.agents.journal_writer import RunWriter
from stepward.agents.run_control import ORPHANED, EndOrphans, wake_machine, wake_resumed
from stepward.agents.run_ports import RunPorts
from stepward.domain.errors import DeadlineExceeded, StepwardError
from stepward.domain.execution_events import STOPPED
from stepward.domain.journal import (
    Admitted,
    AnyRecord,
    Cancel,
    Continued,
    Created,
    End,
    Inherited,
    Parked,
    Pause,
    Queued,
    Resume,
    Sequenced,
)
from stepward.domain.run_state import is_out_of_band, latest_step
from stepward.domain.runs import RunHead, RunKey, RunStatus
from stepward.ports.clock import from_iso, iso
from stepward.ports.run_machine import SLOT_CALL


def wake_answered(ports: RunPorts, head: RunHead, parked: Parked) -> bool:
    """Send the wake-up of every answer that a waiting run has; safe to repeat.

    time →   answer: result ✓ ─ ✗ dies        janitor, a minute later: result, token → woken
             dispatch: token ✓ ─ ✗ dies       its machine calls it again

    Args:
        ports: The ports of runs.
        head: The run that waits.
        parked: The record by which it began to wait.

    Returns:
        True if all answers are there and no machine took one now: the run has continued already, or its
        machine is gone.
    """
    if parked.reason != "answers":
        return False
    answered, heard = 0, False
    for call in parked.calls:
        item = ports.journal.call(head.key, call)
        if item is None or item.result is None:
            continue
        answered += 1
        token = ports.tokens.of(head.key, call)
        heard |= token is not None and ports.machine.answer(token)
    return answered == len(parked.calls) and not heard


OVERDUE: Final = timedelta(seconds=30)
BEGINS_WITHIN: Final = timedelta(minutes=10)
"""Longer than a started machine may be invisible, and than it retries to begin."""
RUNS_LISTED: Final = 10_000
RUNS_A_SWEEP: Final = 500
TENANTS_A_SWEEP: Final = 200
Head = TypeVar("Head")
QUEUED: Final = "queued"
GOES_ON: Final = "goes on"
_AT_REST: Final = (RunStatus.WAITING, RunStatus.PENDING)


@dataclass(frozen=True)
class CloseRun:
    """Ends a run by its journal: as cancelled if a cancel was requested, else as failed.

    `epoch` is that of the execution whose end is the reason: a run that continues in a newer one is left
    alone.
    """

    ports: RunPorts

    def __call__(self, key: RunKey, error: str, detail: str, epoch: int | None = None) -> str:
        """Close one run; return its status now.

        time →   advance: epoch 2 ✓                 we, of execution 1's end: epoch 2 is there → nothing to close
                 we: end ✓                          advance: epoch 2 ✗ → reads again: the run has ended
        """
        writer = RunWriter.open(self.ports, key, self.ports.ids.new("closer"))
        if writer.state.end is not None and epoch is None:
            # The writer of the end may have died before waking a waiting machine; a repeat wakes nothing.
            wake_machine(self.ports, key, writer.state)
        if not writer.between_steps(lambda: _is_ended(writer, failure(error, detail), epoch)):
            return GOES_ON
        if writer.state.pending:
            writer.refresh_calls()
            EndOrphans(self.ports)(key.tenant, writer.state, ORPHANED)
        return str(writer.state.end.status) if writer.state.end else "open"


def _is_ended(writer: RunWriter, end: End, epoch: int | None) -> bool:
    """End the run, unless it continues in a newer execution than the one that has ended."""
    if epoch is not None and epoch < writer.state.epoch and writer.state.end is None:
        return False
    asked = writer.state.cancelled
    writer.end(cancelled(asked) if asked else end)
    return True


@dataclass(frozen=True)
class ReconcileRuns:
    """The janitor's round over runs that are open for longer than a start takes, and queues."""

    ports: RunPorts

    def __call__(self) -> dict[str, int]:
        """Reconcile every overdue run and serve every queue; count what was done.

        Failures are raised at the end: one broken run must not keep the others from being processed.
        """
        now, faults = self.ports.clock.now(), list[StepwardError]()
        done = {"started": 0, "closed": 0, "left": 0, "nudged": 0}
        tenants = dict.fromkeys(self.ports.run_queue.waiting_tenants(TENANTS_A_SWEEP))
        for head in chosen(self.ports.lists.open_runs(iso(now - OVERDUE), RUNS_LISTED), now):
            try:
                outcome = self._reconcile(head)
            except StepwardError as error:
                faults.append(error)
                continue
            if outcome == QUEUED:
                tenants[head.tenant] = None
            done["left" if outcome == QUEUED else outcome] += 1
        for tenant in tenants:
            self.ports.wake_ups.send(tenant)
        raise_all(faults)
        return {**done, "nudged": len(tenants)}

    def _reconcile(self, head: RunHead) -> str:
        """Start, wake, finalize or close one run, by the newest step of its journal.

        time →   start: transaction ✓ ── ✗ dies            → the journal has no claim: start by the same name
                 dispatch: admitted ✓ ── ✗ dies            → the same; or the machine waits: wake it
                 advance: epoch 2 ✓ ── ✗ dies for good     → the journal has no claim after it: start epoch 2 by its name
                 advance: end appended ✓ ── ✗ dies for good → the journal has an end: finalize
                 cancel: asked ✓ ── ✗ dies                  → nothing else would end a run that waits: close
                 advance: queued ✓ ── ✗ dies or its wake-up   → serve the queue
                 answer: result ✓ ── ✗ dies                 → the machine waits in vain: wake it
                 machine: gone, its event is lost           → nothing will continue it: close as failed
        """
        newest = self._latest_step(head)
        if newest is not None and _has_not_begun(newest):
            return self._start(head, newest)
        if head.ended or (newest is not None and _is_the_end(newest.record)):
            CloseRun(self.ports)(head.key, "Bug", "the run had ended.")
            return "closed"
        if newest is not None and isinstance(newest.record, Queued):
            return QUEUED
        # Thousands may wait for months: one without an answer is checked once an hour.
        is_due = head.status is not RunStatus.WAITING or _has_its_minute(head.run, self.ports.clock.now())
        if newest is not None and isinstance(newest.record, Parked):
            is_due |= wake_answered(self.ports, head, newest.record)
        if is_due and self._is_abandoned(head, newest.record.at if newest else head.created_at):
            return self._close(head, "its machine was gone.")
        return "left"

    def _is_abandoned(self, head: RunHead, since: str) -> bool:
        """Whether nothing was written for a while, or time is up, and no machine carries the run."""
        quiet_since = min(from_iso(since), from_iso(head.deadline_at))
        if head.status is RunStatus.PENDING or self.ports.clock.now() <= quiet_since + OVERDUE:
            return False
        return not self.ports.machine.is_running(head.execution_name)

    def _close(self, head: RunHead, detail: str) -> str:
        """Close a run as failed, with the deadline as reason if that has passed.

        After the fact nothing else is known about the cause.
        """
        is_late = self.ports.clock.now() > from_iso(head.deadline_at)
        code = DeadlineExceeded.__name__ if is_late else STOPPED
        closed = CloseRun(self.ports)(head.key, code, detail, head.epoch)
        return "left" if closed == GOES_ON else "closed"

    def _latest_step(self, head: RunHead) -> Sequenced | None:
        """Find how far a run has come, past records about pausing; wake one that was not woken.

        time →   resume: record ✓ ── ✗ dies               → wake the machine, serve the queue
                 start: transaction ✓ ── ✗ dies; pause ✓   → the journal has no claim: start by the same name
        """
        newest = self.ports.journal.newest(head.key)
        record = newest.record if newest else None
        if isinstance(record, Resume):
            wake_resumed(self.ports, head, record)
        if isinstance(record, Pause | Resume) and head.status is not RunStatus.RUNNING:
            return newest
        if record is not None and is_out_of_band(record):
            return latest_step(self.ports.journal.load(head.key).records)
        return newest

    def _start(self, head: RunHead, newest: Sequenced) -> str:
        """Start a run that has a slot and no machine, or wake the machine that waits for the slot."""
        record = newest.record
        if isinstance(record, Continued):
            head = head.model_copy(update={"epoch": record.epoch})  # the list may lag behind
        if isinstance(record, Created | Inherited) and head.status is RunStatus.PENDING:
            return QUEUED
        token = self.ports.tokens.of(head.key, SLOT_CALL) if isinstance(record, Admitted) else None
        if token:
            self.ports.machine.answer(token)
        self.ports.machine.start(head.execution_name, head.key)
        is_new = from_iso(record.at) + BEGINS_WITHIN > self.ports.clock.now()
        if is_new or not self._is_abandoned(head, record.at):
            return "started"
        return self._close(head, "its machine was gone before the run had begun.")


def raise_all(faults: list[StepwardError]) -> None:
    """Raise the first fault, with a note of each other one, so that the log has them all."""
    for other in faults[1:]:
        faults[0].add_note(f"and {other.code}: {other.detail}")
    if faults:
        raise faults[0]


def _has_not_begun(newest: Sequenced) -> bool:
    """Whether nothing was done since the run was started, admitted, or given a new execution."""
    return isinstance(newest.record, Created | Inherited | Admitted | Continued)


def _is_the_end(record: AnyRecord) -> bool:
    """Whether only the finalizing may follow: the end is written, or requested."""
    return isinstance(record, Cancel) or getattr(record, "end", None) is not None


def chosen(heads: Sequence[RunHead], now: datetime) -> list[RunHead]:
    """Choose the runs to process: active ones first, then waiting ones in turn.

    Thousands may wait for months; later ones must not wait for the janitor as long.
    """
    active = round_robin([head for head in heads if head.status not in _AT_REST], RUNS_A_SWEEP, now)
    waiting = [head for head in heads if head.status in _AT_REST]
    return [*active, *round_robin(waiting, max(RUNS_A_SWEEP - len(active), RUNS_A_SWEEP // 2), now)]


def round_robin(heads: list[Head], most: int, now: datetime) -> list[Head]:
    """Cut a list to one round's size; each minute begins where the one before has ended."""
    if len(heads) <= most:
        return heads
    first = _minute(now) * most % len(heads)
    return (heads[first:] + heads[:first])[:most]


def _minute(now: datetime) -> int:
    return int(now.timestamp()) // 60


def _has_its_minute(run: str, now: datetime) -> bool:
    return zlib.crc32(run.encode()) % 60 == _minute(now) % 60
