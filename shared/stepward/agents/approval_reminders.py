"""Process open approvals: announce, remind, escalate, and end those that are overdue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from stepward.agents.approvals import wake
from stepward.agents.reconcile import raise_all
from stepward.domain.approvals import Approval, ApprovalStatus, Note
from stepward.domain.errors import StepwardError
from stepward.ports.approvals import Approvals
from stepward.ports.clock import Clock, iso
from stepward.ports.run_machine import RunMachine, Tokens
from stepward.ports.tasks import NoTasks, TaskAnswers
from stepward.ports.triggers import Events

MOST_A_ROUND: Final = 500


@dataclass(frozen=True)
class RemindApprovers:
    """The janitor's round over approvals that are due, and the first announcement of new ones."""

    approvals: Approvals
    tokens: Tokens
    machine: RunMachine
    events: Events
    clock: Clock
    tasks: TaskAnswers = field(default_factory=NoTasks)

    def __call__(self) -> dict[str, int]:
        """Process everything that is due, and count what was done.

        Failures are raised at the end: one broken approval must not keep the others from being processed.

        """
        now, faults = self.clock.now(), list[StepwardError]()
        done: Counter[str] = Counter()
        for approval in self.approvals.due(iso(now), MOST_A_ROUND):
            try:
                done.update(self.remind(approval, now))
            except StepwardError as error:
                faults.append(error)
        raise_all(faults)
        return dict(done)

    def remind(self, approval: Approval, now: datetime) -> list[str]:
        """Process one approval, and name what was done."""
        if approval.decision:
            wake(self.approvals, self.tokens, self.machine, self.tasks, approval)
            return ["woken"]
        if not approval.is_open:
            return []
        if approval.due_at <= iso(now):
            ended = approval.closed(ApprovalStatus.EXPIRED, iso(now))
            return [ended.status.value] if self.approvals.change(approval, ended) else []
        return self._tell(approval, approval.due_notes(now), iso(now))

    def _tell(self, approval: Approval, notes: list[Note], at: str) -> list[str]:
        """Publish the event, then record it.

        After a crash between the two it is sent again under the same id.

        time →   dispatch: sent ✓ ─ ✗ dies        janitor: sent again ─ recorded ✓
                 a decider comes between:         recorded ✗, which does no harm
        """
        after = approval
        for note in notes:
            after = after.with_note(note, at)
            self.events.put("stepward", f"agent.approval.{note.value}", _detail(after, note, at))
        told = bool(notes) and self.approvals.change(approval, after)
        return [note.value for note in notes] if told else []


def _detail(approval: Approval, note: Note, at: str) -> dict[str, Any]:
    """Build the event's detail: whom to ask what by when, without the approval's own details.

    Those may be confidential.
    """
    said = {"tenant", "run", "call", "tool", "agent", "requester", "question", "created_at", "due_at"}
    return {
        "id": f"{approval.id}#{note.value}",
        "approval": approval.id,
        "approvers": list(approval.deciders),
        "at": at,
        **approval.model_dump(mode="json", include=said),
    }
