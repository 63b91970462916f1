"""Serve a tenant's run queue: the highest priority first, and within it the oldest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from stepward.agents.reconcile import raise_all
from stepward.agents.run_ports import RunPorts
from stepward.domain.errors import StepwardError, StoreConflict
from stepward.domain.journal import Admitted
from stepward.domain.run_queue import QueuedRun
from stepward.domain.run_state import fold
from stepward.domain.runs import RunKey
from stepward.ports.clock import iso
from stepward.ports.run_machine import SLOT_CALL
from stepward.ports.run_queue import NoSlot, SlotLimits

READ_AT_ONCE: Final = 10
"""How many queued runs one query reads."""
TIME_FOR_A_READ_S: Final = 5.0


@dataclass(frozen=True)
class DispatchRuns:
    """The use case behind the wake-ups that reach `dispatch`."""

    ports: RunPorts
    invocation: str
    time_left_s: Callable[[], float]

    def __call__(self, tenant: str, most: int | None = None) -> int:
        """Admit runs while slots last, or as many as are known to be free; count them.

        Runs that are left have requested a wake-up for the next free slot.

        time →   we:     no slot ─ flag ─ no slot still ─ done
                 ender:                        frees one: the flag is there → wake-up → served again
        """
        admitted, asked = 0, False
        while most is None or admitted < most:
            limits = self.ports.slot_limits(tenant)
            waiting = self.ports.run_queue.first(
                tenant, READ_AT_ONCE if most is None else min(READ_AT_ONCE, most - admitted)
            )
            if not waiting:
                self._clear_flags(tenant, limits)
                break
            served, full = self._serve(waiting, limits)
            admitted += served
            if self.time_left_s() < TIME_FOR_A_READ_S:
                self.ports.wake_ups.send(tenant)
                break
            if full and (asked or full.asked):
                break
            if full:
                self.ports.run_queue.request_wake_up(tenant, limits.tenant, limits.account)
                asked = True
        return admitted

    def _serve(self, line: list[QueuedRun], limits: SlotLimits) -> tuple[int, NoSlot | None]:
        """Admit from the head on until no slot is free; count only runs that were still queued."""
        admitted = 0
        for waiting in line:
            outcome = (
                self.ports.workflows.admit(waiting, limits)
                if waiting.workflow
                else self._admit(waiting, limits)
            )
            if isinstance(outcome, NoSlot):
                return admitted, outcome
            admitted += bool(outcome)
        return admitted, None

    def _admit(self, seen: QueuedRun, limits: SlotLimits, seq: int | None = None) -> Admitted | NoSlot | None:
        """Admit one run, or take it out of the queue if it is not queued there any more.

        `seq` is its journal's last record, where that has grown since the run joined the queue.
        """
        waiting = seen if seq is None else seen.model_copy(update={"seq": seq})
        key = RunKey(tenant=waiting.tenant, run=waiting.run)
        draw = self.ports.draw(
            waiting.tenant, waiting.agent, waiting.draw_usd_micros, charged=waiting.charged
        )
        now = iso(self.ports.clock.now())
        try:
            outcome = self.ports.runtime.admit(waiting, now, self.invocation, limits, draw)
        except StoreConflict:
            return self._admit_again(key, seen, waiting.seq, limits)
        if isinstance(outcome, Admitted):
            self._wake(key, waiting)
        return outcome

    def _admit_again(
        self, key: RunKey, seen: QueuedRun, tried: int, limits: SlotLimits
    ) -> Admitted | NoSlot | None:
        """Retry a run whose journal has grown: it may have ended, or was only paused or resumed.

        time →   we:      journal: it is not queued ──────────────────── leave as seen ✗ → it stays
                 the run:                            joins at that place once more, in the same millisecond
        """
        state = fold(self.ports.journal.load(key))
        if state.end is not None or state.position != seen.position:
            self.ports.run_queue.leave(seen)
            return None
        if state.seq == tried:
            raise StoreConflict(f"{seen.run} could not be admitted; another function is at work on it.")
        return self._admit(seen, limits, state.seq)

    def _wake(self, key: RunKey, waiting: QueuedRun) -> None:
        if not waiting.is_resume:
            self.ports.machine.start(f"{waiting.run}.{waiting.epoch}", key)
            return
        token = self.ports.tokens.of(key, SLOT_CALL)
        if token:
            self.ports.machine.answer(token)

    def _clear_flags(self, tenant: str, limits: SlotLimits) -> None:
        """Clear the flags, then read once more: a run that came in between must be served."""
        self.ports.run_queue.clear_wake_up(tenant, limits.tenant)
        if self.ports.run_queue.first(tenant, 1):
            self.ports.wake_ups.send(tenant)
        if self.ports.run_queue.waiting_tenants(1):
            return
        self.ports.run_queue.clear_account_wake_up(limits.account)
        for other in self.ports.run_queue.waiting_tenants(1):
            self.ports.wake_ups.send(other)


def serve_each(serve: Callable[[str, int | None], int], wake_ups: Mapping[str, int | None]) -> int:
    """Serve the queues of all tenants that have a wake-up.

    A tenant that cannot be served does not delay the others.
    """
    admitted, faults = 0, list[StepwardError]()
    for tenant, freed in wake_ups.items():
        try:
            admitted += serve(tenant, freed)
        except StepwardError as error:
            faults.append(error)
    raise_all(faults)
    return admitted
