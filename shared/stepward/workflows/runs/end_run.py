"""End runs: cancel or close them, book their cost, stop their chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.domain.costs import CostLine
from stepward.domain.errors import Conflict, NotFound, RunCancelled, StoreConflict
from stepward.domain.programs import Program
from stepward.domain.runs import RunError, RunKey, existing_head
from stepward.domain.task_records import (
    TaskKey,
    TaskRecord,
    TaskStatus,
    WorkflowHead,
    WorkflowStatus,
    WorkflowTotals,
)
from stepward.ports.clock import iso
from stepward.ports.run_queue import Freed
from stepward.ports.tasks import RunSnapshot
from stepward.ports.workflow_runs import WorkflowEnd
from stepward.workflows.program.lookup import find_workflow_run
from stepward.workflows.program.tasks import has_compensations
from stepward.workflows.runs.aws_cost import Bill
from stepward.workflows.runs.compensation import StartCompensation
from stepward.workflows.runs.run_store import WorkflowPorts

# Ends from outside: cancelled, or lost.


OUT_OF_TIME: Final = "States.Timeout"
"""The error of an execution whose time was over."""
BEING_COMPENSATED: Final = "being undone"
"""What `close` returns for a run that an execution of its own compensates first."""
CancelChild = Callable[[str, str, str], object]
"""Cancels a run of an agent: tenant, run, by whom."""


@dataclass(frozen=True)
class EndRun:
    """Records an end that the machine did not bring, and stops the machine and child runs."""

    ports: WorkflowPorts
    notify: Notify
    cancel_agent: CancelChild

    def cancel(self, tenant: str, run: str, by: str) -> WorkflowHead:
        """Cancel a run; safe to repeat.

        time →   task: look ─ not cancelled ─ begins            cancel: word ✓ ─ head ✓ ─ stop ─ reads marks ─ ends children
                 task: look ─ cancelled → nothing begins        a child whose parent has ended sees it at its first step

        Args:
            tenant: Whose run it is.
            run: The run's id.
            by: Who cancels it.

        Returns:
            The head after the cancellation.

        Raises:
            InvalidRequest: The id is malformed.
            NotFound: There is no such run.
            Conflict: The run has ended otherwise.
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
        """Fail a run whose machine is gone, after its compensation.

        Args:
            key: The run.
            error: The error with which the execution ended.
            detail: What is known about it.

        Returns:
            The run's status, or `BEING_COMPENSATED`.

        Raises:
            NotFound: There is no such run.
        """
        head = existing_head(self.ports.runs.head(key), key.run)
        if not head.ended:
            program = self.ports.program(key.tenant, head.workflow, head.version)
            why = self._why(head, program, error, detail)
            if has_compensations(program):
                self._end_children(head, "the platform")
                if StartCompensation(self.ports)(head, program, why):
                    return BEING_COMPENSATED
            self._end(head, WorkflowStatus.FAILED, why)
            self._end_children(head, "the platform")
        closed = self.ports.runs.head(key)
        return closed.status.value if closed else "unknown"

    def _why(self, head: WorkflowHead, program: Program, error: str, detail: str) -> RunError:
        """Return the run's timeout as the cause if its time is over, else the given error.

        The janitor, which comes late, knows nothing of the machine but that it is over.
        """
        if error != OUT_OF_TIME and iso(self.ports.clock.now()) < head.deadline_at:
            return RunError(code=error, detail=detail)
        seconds = program.definition.timeout_s
        detail = f"the run took longer than its `timeout_s` of {seconds:,} s."
        return RunError(code=OUT_OF_TIME, detail=detail)

    def _end(self, head: WorkflowHead, status: WorkflowStatus, error: RunError) -> None:
        snapshot = self.ports.store.full_snapshot(head.key)
        end = WorkflowEnd(
            status=status,
            ended_at=iso(self.ports.clock.now()),
            error=error,
            totals=totals_of(snapshot.records),
        )
        counted, freed = close_booked(self.ports, head, snapshot, end, None)
        if freed.done:
            self.notify(head, counted, None)
            self.ports.queue.wake_waiting(freed, head.tenant)

    def _end_children(self, head: WorkflowHead, by: str) -> None:
        """Stop the chunks, and cancel the child runs of tasks without a record."""
        snapshot = self.ports.store.full_snapshot(head.key)
        stop_chunks(self.ports, head, snapshot, f"ended by {by}")
        for child in open_children(snapshot):
            workflow = self.ports.runs.head(RunKey(tenant=head.tenant, run=child))
            try:
                if workflow is not None:
                    self.cancel(head.tenant, child, by)
                else:
                    self.cancel_agent(head.tenant, child, by)
            except (Conflict, NotFound):
                # It has ended meanwhile, or had not begun: it finds at its first step that its parent has ended.
                continue


def open_children(snapshot: RunSnapshot) -> list[str]:
    """Return the ids of runs that tasks without a record have started."""
    return [
        mark.child
        for task, marks in snapshot.begun.items()
        for mark in marks
        if mark.child and task.is_task and task not in snapshot.records
    ]


# The end and its cost.


OUTPUT: Final = "output"
"""The name under which a run's output is stored."""
_ATTEMPTS: Final = 20
Notify = Callable[[WorkflowHead, WorkflowEnd, Any], None]


def close_booked(
    ports: WorkflowPorts, head: WorkflowHead, snapshot: RunSnapshot, end: WorkflowEnd, since: datetime | None
) -> tuple[WorkflowEnd, Freed]:
    """Record a run's end with its cost; `done` says whether this end is the one that stays.

    The freed slot is announced after the run's parent is notified: that one may need the slot to go on. `since` is when
    the function of the last state began, None where the run is ended from outside.
    """
    program = ports.program(head.tenant, head.workflow, head.version)
    took = None if since is None else ports.clock.now() - since
    ms = None if took is None else max(0, round(took.total_seconds() * 1000))
    aws = Bill(program, snapshot, is_child=head.parent is not None).cost_with_end(ms)
    counted = end.model_copy(update={"aws": aws})
    return counted, _close(ports, head, counted)


@retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(_ATTEMPTS), reraise=True)
def _close(ports: WorkflowPorts, head: WorkflowHead, end: WorkflowEnd) -> Freed:
    """Record the end; parallel tasks may move the run's slot at the same moment."""
    return ports.runs.close(head.key, end, cost_line(head, end))


def cost_line(head: WorkflowHead, end: WorkflowEnd) -> CostLine:
    """Return the run's own entry in the cost ledger; child runs have entries of their own."""
    return CostLine(
        day=end.ended_at[:10],
        workflow=head.workflow,
        runs=1,
        tool_usd_micros=end.totals.tool_usd_micros,
        aws_usd_micros=end.aws.usd_micros if end.aws else 0,
    )


def notify_again(ports: WorkflowPorts, notify: Notify, head: WorkflowHead) -> dict[str, Any]:
    """Repeat the notification of an end: its writer may have died before."""
    end = WorkflowEnd(
        status=head.status,
        ended_at=head.ended_at or "",
        error=head.error,
        totals=head.totals,
        aws=head.aws,
    )
    is_well = head.status in (WorkflowStatus.COMPLETED, WorkflowStatus.PARTIALLY_COMPLETED)
    notify(head, end, ports.store.value(head.key, OUTPUT) if is_well else None)
    return {"status": head.status.value}


def totals_of(records: Mapping[TaskKey, TaskRecord]) -> WorkflowTotals:
    """Count a run's tasks and what they cost."""
    own = [record for task, record in records.items() if task.is_task]
    count = {status: sum(record.status is status for record in own) for status in TaskStatus}
    return WorkflowTotals(
        tasks=len(own),
        completed=count[TaskStatus.COMPLETED],
        failed=count[TaskStatus.FAILED],
        skipped=count[TaskStatus.SKIPPED],
        cost_usd_micros=sum(record.cost_usd_micros for record in records.values()),
        tool_usd_micros=sum(record.cost_usd_micros for record in records.values() if record.child is None),
        runs_aws_usd_micros=sum(record.runs_aws_usd_micros for record in records.values()),
    )


# Executions of chunks.


def stop_chunks(ports: WorkflowPorts, head: WorkflowHead, snapshot: RunSnapshot, cause: str) -> None:
    """Stop the executions of chunks that have a mark and no outcome.

    A mark comes before its execution, so that none is missed.

    time →   state: mark ✓ ─ start ✓ ─ head? ended → stop         end: head ✓ ─ reads marks ─ stops
    """
    for task, marks in snapshot.begun.items():
        if task.is_chunk and task not in snapshot.records:
            for mark in marks:
                ports.machines.stop(head, RunCancelled.__name__, cause, mark.child)
