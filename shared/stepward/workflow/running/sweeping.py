"""Looks after runs that are open for longer than a start takes: none stays open by accident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from stepward.agents.closing import RUNS_LISTED, in_turn, raise_all
from stepward.domain.errors import Conflict, MachineMissing, StepwardError
from stepward.domain.task_records import WorkflowHead, WorkflowStatus
from stepward.ports.clock import iso
from stepward.workflow.running.beginning import BeginRun
from stepward.workflow.running.ending import BEING_UNDONE, EndRun
from stepward.workflow.running.ports import WorkflowPorts
from stepward.workflow.running.waking import WakeLost

OVERDUE: Final = timedelta(seconds=30)
LOOKED_AT_A_ROUND: Final = 200


@dataclass(frozen=True)
class SweepWorkflows:
    """The janitor's round over workflows' runs."""

    ports: WorkflowPorts
    end: EndRun
    is_wanted: Callable[[WorkflowHead], bool] = lambda _: True
    """Whether the call that a run was started by still waits for it."""

    def __call__(self) -> dict[str, int]:
        """Start what never began, close what nobody carries any more; count what was done.

        What cannot be mended is told at the end: one broken run must not keep the others from being looked at.
        """
        before, faults = iso(self.ports.clock.now() - OVERDUE), list[StepwardError]()
        done = {"workflows_started": 0, "workflows_closed": 0, "workflows_cancelled": 0, "workflows_woken": 0}
        heads = self.ports.runs.open_runs(before, RUNS_LISTED)
        for head in in_turn(heads, LOOKED_AT_A_ROUND, self.ports.clock.now()):
            try:
                name = self._mend(head)
            except StepwardError as error:
                faults.append(error)
                continue
            if name:
                done[name] += 1
        raise_all(faults)
        return done

    def _mend(self, head: WorkflowHead) -> str | None:
        """Look at the execution itself, for the list may lag behind.

        time →   start: transaction ✓ ─ ✗ dies          → it never began: start it by the same name
                 machine: over ─ its event is lost      → nobody will settle it: have it undone, or close as failed
                 answer: kept ✓ ─ ✗ dies                → its machine waits in vain: wake it
        agent: ended, or waits no longer        → nobody reads what it brings: cancel it
        """
        if not self.is_wanted(head):
            return self._cancelled(head)
        if head.status is WorkflowStatus.PENDING and self._is_queued(head):
            return None
        match self.ports.machines.standing(head):
            case "never began":
                return self._start(head)
            case "over":
                why = "the execution is over and left no word."
                closed = self.end.close(head.key, "ExecutionStopped", why)
                return None if closed == BEING_UNDONE else "workflows_closed"
            case _:
                return "workflows_woken" if WakeLost(self.ports, self.end.tell)(head) else None

    def _start(self, head: WorkflowHead) -> str | None:
        """Start a run, once its machine is there: each round orders one that is gone, until the run's time is over."""
        try:
            BeginRun(self.ports)(head)
        except MachineMissing as error:
            if iso(self.ports.clock.now()) < head.deadline_at:
                return None
            self.end.close(head.key, error.code, error.detail)
            return "workflows_closed"
        return "workflows_started"

    def _is_queued(self, head: WorkflowHead) -> bool:
        """Have the queue looked at that a run stands in; the list may lag behind one that was admitted."""
        standing = self.ports.slots.standing(head.key)
        if standing is None or standing.place is None:
            return False
        self.ports.queue.nudges.send(head.tenant)
        return True

    def _cancelled(self, head: WorkflowHead) -> str | None:
        """Cancel a run; the list may lag behind one that has ended."""
        try:
            self.end.cancel(head.tenant, head.run, "the platform")
        except Conflict:
            return None
        return "workflows_cancelled"
