"""Notify a run's parent of its end, close its approvals, and publish the event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from stepward.agents.approvals import close_all
from stepward.agents.finalize import answer_call
from stepward.agents.run_ports import RunPorts
from stepward.domain.approvals import ApprovalStatus
from stepward.domain.conversation import ToolResult
from stepward.domain.retries import is_transient
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import WorkflowHead, WorkflowParent, WorkflowStatus
from stepward.ports.tasks import TaskOutcome
from stepward.ports.triggers import Events
from stepward.ports.workflow_runs import WorkflowEnd

WELL: Final = (WorkflowStatus.COMPLETED, WorkflowStatus.PARTIALLY_COMPLETED)


@dataclass(frozen=True)
class NotifyEnd:
    """Notifies others of a run's end.

    It is safe to repeat: of answers the first stays, an approval closes once, and the event has an id.
    """

    runs: RunPorts
    events: Events

    def __call__(self, head: WorkflowHead, end: WorkflowEnd, output: Any) -> None:
        """Notify the parent, close the approvals, and publish the event."""
        if head.parent:
            self._notify_parent(head, head.parent, end, output)
        self._close_approvals(head, end.ended_at)
        self.events.put(
            "stepward",
            f"workflow.{end.status.value.lower()}",
            {
                "id": f"{head.run}:end",
                "run": head.run,
                "tenant": head.tenant,
                "workflow": head.workflow,
                "version": head.version,
                "status": end.status.value,
                "at": end.ended_at,
                "error": end.error.model_dump() if end.error else None,
                "totals": end.totals.model_dump(),
            },
        )

    def _notify_parent(
        self, head: WorkflowHead, parent: WorkflowParent, end: WorkflowEnd, output: Any
    ) -> None:
        outcome = outcome_of(head, end, output)
        if parent.place:
            self.runs.tasks.answer(head.tenant, parent.run, parent.place, outcome)
        elif parent.call:
            error = outcome.error
            content = {"run": head.run, "status": end.status.value, "output": output}
            if error:
                content |= {"error": error.code, "detail": error.detail}
            result = ToolResult(
                call=parent.call,
                tool=parent.tool or "workflow",
                content=content,
                error=error.code if error else None,
                child_usd_micros=outcome.cost_usd_micros,
                child_aws_usd_micros=outcome.aws_usd_micros,
            )
            answer_call(self.runs, RunKey(tenant=head.tenant, run=parent.run), result)

    def _close_approvals(self, head: WorkflowHead, at: str) -> None:
        close_all(self.runs.approvals, head.key, lambda _: ApprovalStatus.CANCELLED, at)


def outcome_of(head: WorkflowHead, end: WorkflowEnd, output: Any) -> TaskOutcome:
    """Return a run's end as the outcome of the parent's task."""
    error = None if end.status in WELL else end.error
    if end.status not in WELL and error is None:
        error = RunError(code="TaskFailed", detail=f"it ended as {end.status}.")
    return TaskOutcome(
        output=output,
        error=error,
        is_passing=end.status is WorkflowStatus.FAILED and error is not None and is_transient(error.code),
        cost_usd_micros=end.totals.cost_usd_micros,
        aws_usd_micros=end.aws_usd_micros,
        child=head.run,
    )
