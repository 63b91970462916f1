"""Ask a person on behalf of a task, by an approval."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stepward.agents.approval_reminders import RemindApprovers
from stepward.domain.approvals import SHORTEST_S, Approval, Asking, later
from stepward.domain.task_records import TaskPlace, WorkflowHead
from stepward.ports.approvals import Approvals
from stepward.ports.clock import Clock, iso
from stepward.tasks.context import Question


@dataclass(frozen=True)
class AskForTask:
    """Opens the approval of a human task."""

    approvals: Approvals
    reminders: RemindApprovers
    clock: Clock

    def __call__(self, head: WorkflowHead, place: TaskPlace, question: Question) -> None:
        """Open the task's approval, or find it, and notify those who were not notified yet."""
        at = iso(self.clock.now())
        seconds = max(SHORTEST_S, question.settings.get("timeout_s") or SHORTEST_S)
        call = approval_call_of(place)
        approval = Approval(
            id=approval_id_of(head, place),
            tenant=head.tenant,
            run=head.run,
            call=call,
            tool="human",
            agent=head.workflow,
            requester=head.principal,
            question=question.question[:2_000],
            details=question.details,
            asking=Asking.model_validate({**question.settings, "timeout_s": seconds}),
            task=place,
            created_at=at,
            due_at=later(at, seconds),
        )
        kept = self.approvals.open(approval)
        if kept is not None:
            self.reminders.remind(kept, self.clock.now())


def approval_id_of(head: WorkflowHead, place: TaskPlace) -> str:
    """Return the id of the approval that answers a task's question."""
    return f"{head.run}.{approval_call_of(place)}"


def approval_call_of(place: TaskPlace) -> str:
    """Return what the approval is for, in the characters that its id may have."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", str(place.key))
    return f"{name}-{place.attempt}"[-128:]
