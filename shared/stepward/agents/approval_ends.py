"""What becomes of approvals: the run that waits for a decision is woken, and what a run leaves open is closed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from stepward.domain.approvals import Approval, ApprovalStatus
from stepward.domain.errors import StoreConflict
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunKey
from stepward.ports.approvals import Approvals
from stepward.ports.run_machine import RunMachine, Tokens
from stepward.ports.tasks import TaskAnswers, TaskOutcome

ATTEMPTS: Final = 10


def wake(
    approvals: Approvals, tokens: Tokens, machine: RunMachine, tasks: TaskAnswers, approval: Approval
) -> None:
    """Wake the run that waits for a decision; safe to repeat.

    time →   decider: decision ✓ ─ ✗ dies        janitor, a minute later: it is due still → token → woken
    """
    if approval.task and approval.decision:
        outcome = TaskOutcome(output=approval.decision.model_dump(mode="json"))
        tasks.answer(approval.tenant, approval.run, approval.task, outcome)
    elif token := tokens.of(approval.key, approval.wait):
        machine.answer(token)
    approvals.woken(approval)


def has_asked(state: RunState) -> bool:
    """Whether a run that ends may leave approvals open: it waits for answers."""
    return state.parked is not None and state.parked.reason == "answers"


def close_those_of(
    approvals: Approvals, key: RunKey, state: RunState, at: str, waits: Collection[str] | None = None
) -> None:
    """Close what an agent's run has left open at its end, or only the waits that are over."""

    def end_of(approval: Approval) -> ApprovalStatus | None:
        return _end_of(approval, state) if waits is None or approval.wait in waits else None

    close_all(approvals, key, end_of, at)


def close_all(
    approvals: Approvals, key: RunKey, end_of: Callable[[Approval], ApprovalStatus | None], at: str
) -> None:
    """Close what a run has left open; `end_of` says as what, None for what stays.

    time →   settle: head closed ─ reads: open, revision 1 ─ close ✗        ─ reads again: revision 2 ─ close ✓
             janitor:                                reminded, revision 2 ✓
    """
    for _ in range(ATTEMPTS):
        left = [(one, end) for one in approvals.of_run(key) if one.is_open and (end := end_of(one))]
        if all(approvals.change(one, one.closed(end, at)) for one, end in left):
            return
    raise StoreConflict(f"the approvals of {key.run} are being changed.")


def _end_of(approval: Approval, state: RunState) -> ApprovalStatus:
    """An approval whose call has a result was not decided in time."""
    item = state.calls.get(approval.wait)
    return ApprovalStatus.EXPIRED if item and item.result else ApprovalStatus.CANCELLED
