"""Cancel, pause and resume runs, and end child runs that no parent waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.call_limits import cancelled
from stepward.agents.children import children_of
from stepward.agents.journal_writer import RunWriter
from stepward.agents.run_ports import RunPorts
from stepward.agents.show_runs import find_run
from stepward.domain.errors import Conflict, RunCancelled, StoreConflict
from stepward.domain.journal import Cancel, End, Ended, Pause, Resume
from stepward.domain.run_queue import QueuedRun, position_again
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunError, RunHead, RunKey, RunStatus
from stepward.ports.run_machine import RESUME_CALL, SLOT_CALL


@dataclass(frozen=True)
class CancelRun:
    """The use case behind `POST /runs/{run_id}/cancel`."""

    ports: RunPorts

    def __call__(self, tenant: str, run: str, by: str) -> RunHead:
        """End the run as cancelled, stop its execution, and return its head; safe to repeat.

        time →   advance:   load ── model call ── append(n+1) ✗ → books the reply as late, leaves
                 cancel:            append(n+1) ✓ append(n+2) ✓ finalize, stop the execution
        """
        head = find_run(self.ports.runtime, tenant, run)
        state = None if head.ended else self._write(head, by)
        if state is not None:
            head = find_run(self.ports.runtime, tenant, run)
        if head.status is not RunStatus.CANCELLED:
            raise Conflict(
                f"the run has ended as {head.status}.", field="run_id", fix="nothing is left to cancel"
            )
        self.ports.machine.stop(head.execution_name, RunCancelled.__name__, f"cancelled by {by}")
        self._cancel_children(tenant, state or RunWriter.open(self.ports, head.key, by).state, by)
        return head

    def _cancel_children(self, tenant: str, state: RunState, by: str) -> None:
        """Cancel the child runs, and theirs; one that ends meanwhile needs no cancelling.

        time →   dispatch: mark ✓ ─ start the child            we: end ✓ ─ read marks ─ cancel what has begun
                 a child that begins after that sees at its first step that its parent has ended
        """
        for child in children_of(state):
            found = self.ports.runtime.head(RunKey(tenant=tenant, run=child))
            if found is None:
                self.ports.workflows.cancel(tenant, child, by)
            if found is None or found.ended:
                continue
            try:
                self(tenant, child, by)
            except Conflict:
                continue

    def _write(self, head: RunHead, by: str) -> RunState:
        writer = RunWriter.open(self.ports, head.key, self.ports.ids.new("cancel"))
        writer.between_steps(lambda: _end(writer, by))
        writer.refresh_calls()
        return writer.state


def _end(writer: RunWriter, by: str) -> None:
    if writer.state.end is None and writer.state.cancelled is None:
        writer.append(writer.make(Cancel, by=by))
    reason = writer.state.cancelled or writer.make(Cancel, by=by)
    writer.end(cancelled(reason))


_ATTEMPTS: Final = 20


@dataclass(frozen=True)
class PauseRun:
    """The use case behind `POST /runs/{run_id}/pause`."""

    ports: RunPorts

    def __call__(self, tenant: str, run: str, by: str) -> RunHead:
        """Ask a run to pause; one that is queued leaves the queue, so that it takes no slot.

        time →   turn:   append(n+1) ✓                  cancel: append(n+1) ✓
                 we:     n+1 ✗ → read again → n+2 ✓     we:     n+1 ✗ → read again: cancelled → Conflict
        """
        head = find_run(self.ports.runtime, tenant, run)
        writer = RunWriter.open(self.ports, head.key, self.ports.ids.new("pause"))
        writer.between_steps(lambda: self._hold(writer, by))
        return head.model_copy(update={"paused": True})

    def _hold(self, writer: RunWriter, by: str) -> None:
        key, state = writer.key, writer.state
        _check_open(state, "pause")
        if state.paused:
            raise Conflict(
                f"the run is paused already, by {state.paused.by} at {state.paused.at}.",
                field="run_id",
                fix=f"POST /runs/{key.run}/resume lets it go on",
            )
        self.ports.runtime.hold(key, state.seq + 1, writer.make(Pause, by=by), state.position)


@dataclass(frozen=True)
class ResumeRun:
    """The use case behind `POST /runs/{run_id}/resume`."""

    ports: RunPorts

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(_ATTEMPTS), reraise=True)
    def __call__(self, tenant: str, run: str, by: str) -> RunHead:
        """Let a paused run continue: wake its machine, or queue it at its old place.

        time →   we: resume(n+1) ✓ ─ token? ─ wake       dispatch: token ✓ ─ still paused? ─ wake
                 the second of the two sees what the other has written, so the machine is always woken
        """
        head = find_run(self.ports.runtime, tenant, run)
        writer = RunWriter.open(self.ports, head.key, self.ports.ids.new("resume"))
        state = writer.state
        _check_open(state, "resume")
        if not state.paused:
            raise Conflict("the run is not paused.", field="run_id", fix=f"POST /runs/{run}/pause pauses it")
        waiting = self._requeued(head, state)
        record = writer.make(Resume, by=by, position=waiting.position if waiting else None)
        self.ports.runtime.release(head.key, state.seq + 1, record, waiting)
        wake_resumed(self.ports, head, record)
        return head.model_copy(update={"paused": False})

    def _requeued(self, head: RunHead, state: RunState) -> QueuedRun | None:
        """Return the queue entry of a run that was paused while queued: as old as the one it left."""
        if state.left_position is None:
            return None
        limit = 0 if state.parked else state.start.cost_limit_usd_micros or 0
        charged = state.start.charged
        draw = self.ports.first_draw(head.tenant, head.agent, limit, state.run_budgets, charged=charged)
        return QueuedRun(
            tenant=head.tenant,
            run=head.run,
            position=position_again(state.left_position, state.seq + 1),
            seq=state.seq + 1,
            agent=head.agent,
            draw_usd_micros=draw.usd_micros if draw else 0,
            charged=charged,
            epoch=head.epoch,
        )


def wake_resumed(ports: RunPorts, head: RunHead, record: Resume) -> None:
    """Wake the machine of a resumed run; safe to repeat, so that the janitor can do it later."""
    token = ports.tokens.of(head.key, RESUME_CALL)
    if token:
        ports.machine.answer(token)
    if record.position:
        ports.wake_ups.send(head.tenant)


def _check_open(state: RunState, word: str) -> None:
    if state.end:
        raise Conflict(
            f"the run has ended as {state.end.status}.", field="run_id", fix=f"nothing is left to {word}"
        )
    if state.cancelled:
        raise Conflict(
            f"the run is being cancelled by {state.cancelled.by}.",
            field="run_id",
            fix=f"nothing is left to {word}",
        )


ORPHANED: Final = RunError(code="RunCancelled", detail="the run that waited for this one has ended.")


@dataclass(frozen=True)
class EndOrphans:
    """Ends the child runs of a run, and theirs; their machines see it at their next step."""

    ports: RunPorts

    def __call__(self, tenant: str, state: RunState, reason: RunError) -> None:
        """End every child that has not ended; its end is its answer, with its cost.

        time →   dispatch: mark ✓ ─ start the child            we: read marks ─ end what has begun
                 a child that begins after that sees at its first step that no parent waits for it
        """
        for child in children_of(state):
            key = RunKey(tenant=tenant, run=child)
            head = self.ports.runtime.head(key)
            if head is None:
                self.ports.workflows.abandon(tenant, child, "the platform")
            elif not head.ended:
                self._end(key, reason)

    def _end(self, key: RunKey, reason: RunError) -> None:
        writer = RunWriter.open(self.ports, key, self.ports.ids.new("closer"))
        writer.between_steps(lambda: _write_end(writer, reason))
        writer.refresh_calls()
        self(key.tenant, writer.state, ORPHANED)
        writer.refresh_calls()  # the cost of child runs is part of this run's cost
        # Before the head is closed: a function that finds it closed wakes nothing any more.
        wake_machine(self.ports, key, writer.state)
        writer.between_steps(writer.finalize)


def wake_machine(ports: RunPorts, key: RunKey, state: RunState) -> None:
    """Wake the machine of a run that has ended, whatever it waits for; safe to repeat.

    A paused run may be parked for answers that it has, so the calls of its record do not say all.

    Args:
        ports: Where tokens are kept and machines are woken.
        key: The run.
        state: What its journal tells.
    """
    parked = state.parked.calls if state.parked else ()
    for call in dict.fromkeys((*parked, SLOT_CALL, RESUME_CALL)):
        token = ports.tokens.of(key, call)
        if token:
            ports.machine.answer(token)


def _write_end(writer: RunWriter, reason: RunError) -> None:
    if writer.state.end is None:
        writer.append(writer.make(Ended, end=End(status=RunStatus.CANCELLED, error=reason)))
