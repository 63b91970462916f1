"""Ends runs from outside: cancelled by a person, or closed because nobody carries them any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.errors import Conflict, NotFound, RunCancelled
from stepward.domain.programs import Program
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import WorkflowHead, WorkflowStatus
from stepward.ports.clock import iso
from stepward.ports.task_store import Looked
from stepward.ports.workflow_runs import WorkflowEnd
from stepward.workflow.finding import find_workflow_run
from stepward.workflow.program_tasks import can_be_undone
from stepward.workflow.running.booking import Tell, close_booked, totals_of
from stepward.workflow.running.ports import WorkflowPorts
from stepward.workflow.running.stopping import stop_chunks
from stepward.workflow.running.undoing import UndoApart

OUT_OF_TIME: Final = "States.Timeout"
"""What a machine's end is called whose time was over."""
BEING_UNDONE: Final = "being undone"
"""How a run stands that has still to end, because an execution of its own undoes it first."""
CancelChild = Callable[[str, str, str], Any]
"""Cancels a run of an agent: tenant, run, by whom."""


@dataclass(frozen=True)
class EndRun:
    """Writes an end that the machine did not bring, stops the machine, and ends what the run has set going."""

    ports: WorkflowPorts
    tell: Tell
    cancel_agent: CancelChild

    def cancel(self, tenant: str, run: str, by: str) -> WorkflowHead:
        """End the run as cancelled; once more is the same.

        time →   task: look ─ not cancelled ─ begins            cancel: word ✓ ─ head ✓ ─ stop ─ reads marks ─ ends children
                 task: look ─ cancelled → nothing begins        a child whose parent has ended sees it at its first step
        """
        head = find_workflow_run(self.ports.runs, tenant, run)
        if not head.ended:
            self.ports.store.cancel(head.key, by)
            self._end(
                head,
                WorkflowStatus.CANCELLED,
                RunError(code=RunCancelled.__name__, detail=f"cancelled by {by}."),
            )
            head = find_workflow_run(self.ports.runs, tenant, run)
        if head.status is not WorkflowStatus.CANCELLED:
            raise Conflict(
                f"the run has ended as {head.status}.", field="run_id", fix="nothing is left to cancel"
            )
        self.ports.machines.stop(head, RunCancelled.__name__, f"cancelled by {by}")
        self._end_children(head, by)
        return head

    def close(self, key: RunKey, error: str, detail: str) -> str:
        """End a run whose machine is gone as failed, after what it had done is undone; say how it stands."""
        head = self.ports.runs.head(key)
        if head is None:
            raise NotFound(f"there is no run {key.run}.")
        if not head.ended:
            program = self.ports.program(key.tenant, head.workflow, head.version)
            why = self._why(head, program, error, detail)
            if can_be_undone(program):
                self._end_children(head, "the platform")
                if UndoApart(self.ports)(head, program, why):
                    return BEING_UNDONE
            self._end(head, WorkflowStatus.FAILED, why)
            self._end_children(head, "the platform")
        closed = self.ports.runs.head(key)
        return closed.status.value if closed else "unknown"

    def _why(self, head: WorkflowHead, program: Program, error: str, detail: str) -> RunError:
        """Name the run's time as the cause if it is over: whoever sweeps up late knows nothing but that."""
        if error != OUT_OF_TIME and iso(self.ports.clock.now()) < head.deadline_at:
            return RunError(code=error, detail=detail)
        seconds = program.definition.timeout_s
        detail = f"the run took longer than its `timeout_s` of {seconds:,} s."
        return RunError(code=OUT_OF_TIME, detail=detail)

    def _end(self, head: WorkflowHead, status: WorkflowStatus, error: RunError) -> None:
        looked = self.ports.store.everything(head.key)
        end = WorkflowEnd(
            status=status, ended_at=iso(self.ports.clock.now()), error=error, totals=totals_of(looked.records)
        )
        counted, freed = close_booked(self.ports, head, looked, end, None)
        if freed.done:
            self.tell(head, counted, None)
            self.ports.queue.tell(freed, head.tenant)

    def _end_children(self, head: WorkflowHead, by: str) -> None:
        """End the chunks, and the runs of tasks that have no record: nobody waits for them any more."""
        looked = self.ports.store.everything(head.key)
        stop_chunks(self.ports, head, looked, f"ended by {by}")
        for child in open_children(looked):
            workflow = self.ports.runs.head(RunKey(tenant=head.tenant, run=child))
            try:
                if workflow is not None:
                    self.cancel(head.tenant, child, by)
                else:
                    self.cancel_agent(head.tenant, child, by)
            except (Conflict, NotFound):
                # It has ended meanwhile, or had not begun: it sees at its first step that nobody waits.
                continue


def open_children(looked: Looked) -> list[str]:
    """Name the runs that tasks without a record have started."""
    return [
        mark.child
        for task, marks in looked.begun.items()
        for mark in marks
        if mark.child and task.is_task and task not in looked.records
    ]
