"""Looks after runs that are open for longer than a start takes: none stays open by accident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from stepward.domain.errors import Conflict
from stepward.domain.task_records import WorkflowHead, WorkflowStatus
from stepward.ports.clock import iso
from stepward.workflow.running.beginning import BeginRun
from stepward.workflow.running.ending import BEING_UNDONE, EndRun
from stepward.workflow.running.ports import WorkflowPorts

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
        """Start what never began, close what nobody carries any more; count what was done."""
        before = iso(self.ports.clock.now() - OVERDUE)
        done = {"workflows_started": 0, "workflows_closed": 0, "workflows_cancelled": 0}
        for head in self.ports.runs.open_runs(before, LOOKED_AT_A_ROUND):
            name = self._mend(head)
            if name:
                done[name] += 1
        return done

    def _mend(self, head: WorkflowHead) -> str | None:
        """Look at the execution itself, for the list may lag behind.

        time →   start: transaction ✓ ─ ✗ dies          → it never began: start it by the same name
                 machine: over ─ its event is lost      → nobody will settle it: have it undone, or close as failed
        agent: ended, or waits no longer        → nobody reads what it brings: cancel it
        """
        if not self.is_wanted(head):
            return self._cancelled(head)
        if head.status is WorkflowStatus.PENDING and self._is_queued(head):
            return None
        match self.ports.machines.standing(head):
            case "never began":
                BeginRun(self.ports)(head)
                return "workflows_started"
            case "over":
                why = "the execution is over and left no word."
                closed = self.end.close(head.key, "ExecutionStopped", why)
                return None if closed == BEING_UNDONE else "workflows_closed"
            case _:
                return None

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
