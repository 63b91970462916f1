"""Closes a workflow's run and books what it cost, in one step: however often it is settled, it is booked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.domain.costs import CostLine
from stepward.domain.errors import StoreConflict
from stepward.domain.task_records import (
    TaskKey,
    TaskRecord,
    TaskStatus,
    WorkflowHead,
    WorkflowStatus,
    WorkflowTotals,
)
from stepward.ports.runtime_state import Freed
from stepward.ports.task_store import Looked
from stepward.ports.workflow_runs import WorkflowEnd
from stepward.workflow.running.billing import Bill
from stepward.workflow.running.ports import WorkflowPorts

OUTPUT: Final = "output"
"""Where what a run brought is kept."""
_ATTEMPTS: Final = 20
Tell = Callable[[WorkflowHead, WorkflowEnd, Any], None]


def close_booked(
    ports: WorkflowPorts, head: WorkflowHead, looked: Looked, end: WorkflowEnd, since: datetime | None
) -> tuple[WorkflowEnd, Freed]:
    """Write the end with what it cost; `done` tells whether it is the one that stays.

    Whoever waits for the slot is to be told after who waits for the run: that one may need it to go on.
    `since` is when the function of the last state began, None where the run is ended from outside.
    """
    program = ports.program(head.tenant, head.workflow, head.version)
    took = None if since is None else ports.clock.now() - since
    ms = None if took is None else max(0, round(took.total_seconds() * 1000))
    aws = Bill(program, looked, is_child=head.parent is not None).settled(ms)
    counted = end.model_copy(update={"aws": aws})
    return counted, _close(ports, head, counted)


@retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(_ATTEMPTS), reraise=True)
def _close(ports: WorkflowPorts, head: WorkflowHead, end: WorkflowEnd) -> Freed:
    """Write the end; tasks that are still under way may move the run's slot at the same moment."""
    return ports.runs.close(head.key, end, cost_line(head, end))


def cost_line(head: WorkflowHead, end: WorkflowEnd) -> CostLine:
    """Write a run into the book: what it took itself, for its agents and workflows have lines of their own."""
    return CostLine(
        day=end.ended_at[:10],
        workflow=head.workflow,
        runs=1,
        tool_usd_micros=end.totals.tool_usd_micros,
        aws_usd_micros=end.aws.usd_micros if end.aws else 0,
    )


def tell_again(ports: WorkflowPorts, tell: Tell, head: WorkflowHead) -> dict[str, Any]:
    """Tell of an end once more: whoever wrote it may have died before anybody heard."""
    end = WorkflowEnd(
        status=head.status,
        ended_at=head.ended_at or "",
        error=head.error,
        totals=head.totals,
        aws=head.aws,
    )
    is_well = head.status in (WorkflowStatus.COMPLETED, WorkflowStatus.PARTIALLY_COMPLETED)
    tell(head, end, ports.store.value(head.key, OUTPUT) if is_well else None)
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
