"""Closes a workflow's run and books what it cost, in one step: however often it is settled, it is booked once."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.domain.costs import CostLine
from stepward.domain.errors import StoreConflict
from stepward.domain.task_records import WorkflowHead
from stepward.ports.runtime_state import Freed
from stepward.ports.task_store import Looked
from stepward.ports.workflow_runs import WorkflowEnd
from stepward.workflow.running.billing import Bill
from stepward.workflow.running.ports import WorkflowPorts

_ATTEMPTS: Final = 20


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
