"""Begins what was written down: a run's machine, after a re-run has taken over what was done; and runs in the queue."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from stepward.domain.errors import MachineMissing, StoreConflict
from stepward.domain.line import InLine
from stepward.domain.runs import RunKey
from stepward.domain.task_records import WorkflowHead
from stepward.ports.clock import iso
from stepward.ports.runtime_state import NoSlot, SlotLimits
from stepward.ports.task_store import Inherited, LatchKey
from stepward.workflow.running.ports import WorkflowPorts
from stepward.workflow.running.taking_over import kept

_LOG: Final = logging.getLogger(__name__)
_PAID_FOR: Final = {"taken_over": True, "cost_usd_micros": 0, "runs_aws_usd_micros": 0, "took_ms": None}
"""What an earlier run did costs this one nothing."""
_ATTEMPTS: Final = 5


@dataclass(frozen=True)
class BeginRun:
    """Starts a run's machine; whoever finds that it never began does it again."""

    ports: WorkflowPorts

    def __call__(self, head: WorkflowHead, *, is_new: bool = True) -> None:
        """Take over what was done before, then start.

        time →   head ✓ ─ records ✓ ─ start ✓        head ✓ ─ ✗ dies: the janitor takes over and starts, by the same name
        """
        if is_new and head.rerun_of:
            self._take_over(head, head.rerun_of)
        # The name makes a second start harmless, so a start whose answer was lost is simply made again.
        self.ports.machines.start(head)

    def _take_over(self, head: WorkflowHead, rerun_of: str) -> None:
        """Write what was done into the new run, whose tasks find it there and do not run again; safe to repeat."""
        program = self.ports.program(head.tenant, head.workflow, head.version)
        before = RunKey(tenant=head.tenant, run=rerun_of)
        self.ports.store.copy_values(before, head.key)
        taken: list[Inherited] = []
        for task, record in kept(program, self.ports.store.everything(before)).items():
            planned = program.tasks[task.path]
            paid = record.model_copy(update=_PAID_FOR)
            taken.append(Inherited(LatchKey(planned.latch, task.at), task.path, paid))
            taken += [Inherited(LatchKey(mark, task.at), task.path, None) for mark in planned.marks]
        self.ports.store.inherit(head.key, taken)


@dataclass(frozen=True)
class AdmitRun:
    """Gives a run that stands in the queue a slot and begins it: what `dispatch` does for workflows."""

    ports: WorkflowPorts

    def __call__(self, waiting: InLine, limits: SlotLimits) -> bool | NoSlot:
        """Admit one run; False if it does not stand there any more.

        time →   dispatch: slot ✓ place gone ─ ✗ dies        janitor: RUNNING and never began → begins it
        """
        key = RunKey(tenant=waiting.tenant, run=waiting.run)
        for _ in range(_ATTEMPTS):
            head, standing = self.ports.runs.head(key), self.ports.slots.standing(key)
            if head is None or head.ended or standing is None or standing.place != waiting.place:
                self.ports.queue.line.leave(waiting)
                return False
            deadline_at = iso(self.ports.clock.now() + timedelta(seconds=self._timeout_s(head)))
            try:
                outcome = self.ports.slots.admit(waiting, standing, limits, deadline_at)
            except StoreConflict:
                continue
            if isinstance(outcome, NoSlot):
                return outcome
            self._begin(head)
            return True
        raise StoreConflict(f"{waiting.run} could not be admitted; somebody else is at it.")

    def _begin(self, head: WorkflowHead) -> None:
        """Begin it; one whose machine is gone has ordered it, and the janitor begins it once it is there."""
        try:
            BeginRun(self.ports)(head)
        except MachineMissing as error:
            _LOG.warning("%s begins later: %s", head.run, error.detail)

    def _timeout_s(self, head: WorkflowHead) -> int:
        """How long the run may take: it does not lose what it stood in the queue for."""
        return self.ports.program(head.tenant, head.workflow, head.version).definition.timeout_s
