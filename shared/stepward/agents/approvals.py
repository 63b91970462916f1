"""Show approvals, take decisions, wake the runs that wait, and close what a run leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.requests import parse
from stepward.agents.show_runs import page_size
from stepward.domain.approval_forms import check_filled_in
from stepward.domain.approvals import Approval, ApprovalStatus, Decision, Word
from stepward.domain.conversation import ToolResult
from stepward.domain.errors import (
    ApprovalDenied,
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotFound,
    StoreConflict,
)
from stepward.domain.ids import APPROVAL_ID_PATTERN, check_id
from stepward.domain.run_origins import Caller
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunKey
from stepward.ports.approvals import Approvals
from stepward.ports.clock import Clock, iso
from stepward.ports.journal import Journal
from stepward.ports.run_machine import RunMachine, Tokens
from stepward.ports.runs import RuntimeState
from stepward.ports.tasks import NoTasks, TaskAnswers, TaskOutcome

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
    approvals.mark_woken(approval)


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


DECISION_LIMIT_BYTES: Final = 80_000
"""So that a decision with its metadata fits into its call's item."""


class DecisionRequest(BaseModel):
    """The body of `POST /approvals/{approval_id}/decision`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    decision: Word
    form: dict[str, Any] = Field(default_factory=dict)
    comment: str = Field(default="", max_length=2_000)


@dataclass(frozen=True)
class ShowApprovals:
    """The use cases behind `GET /approvals` and `GET /approvals/{approval_id}`."""

    approvals: Approvals
    journal: Journal
    clock: Clock

    def list(self, tenant: str, query: dict[str, str]) -> dict[str, Any]:
        """List what waits for a decision, or what became of the rest; newest first."""
        status = query.get("status", "open")
        if status not in ("open", "done"):
            raise InvalidRequest(f"status is {status[:40]!r}.", field="status", fix="use open or done")
        page = self.approvals.list_approvals(
            tenant, is_open=status == "open", limit=page_size(query.get("limit")), cursor=query.get("cursor")
        )
        hidden = {"details", "form", "decision.form"}
        shown = [_view(each, hidden) for each in page.approvals if not self._is_late(each)]
        return {"approvals": shown, "next_cursor": page.cursor}

    def detail(self, tenant: str, approval: str) -> dict[str, Any]:
        """Show an approval with its details, its form and its decision."""
        found = find_approval(self.approvals, tenant, approval)
        if found.is_open and (self._is_late(found) or self._has_result(found)):
            found = found.closed(ApprovalStatus.EXPIRED, found.due_at)
        return _view(found)

    def _is_late(self, approval: Approval) -> bool:
        """Whether it is overdue: it is listed as open until the janitor's next round."""
        return approval.is_open and approval.due_at <= iso(self.clock.now())

    def _has_result(self, approval: Approval) -> bool:
        item = self.journal.call(approval.key, approval.wait)
        return item is not None and item.result is not None


@dataclass(frozen=True)
class DecideApproval:
    """The use case behind `POST /approvals/{approval_id}/decision`."""

    approvals: Approvals
    journal: Journal
    runtime: RuntimeState
    tokens: Tokens
    machine: RunMachine
    clock: Clock
    tasks: TaskAnswers = field(default_factory=NoTasks)

    def __call__(self, caller: Caller, approval: str, body: Any) -> dict[str, Any]:
        """Take a decision and send the run on; a refusal changes nothing."""
        request = parse(DecisionRequest, body)
        decision = Decision(by=caller.principal, at=iso(self.clock.now()), **request.model_dump())
        decided = self._decide(caller.tenant, approval, decision)
        wake(self.approvals, self.tokens, self.machine, self.tasks, decided)
        return _view(decided)

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(10), reraise=True)
    def _decide(self, tenant: str, approval: str, decision: Decision) -> Approval:
        """Decide, or report what prevents it.

        time →   we: read revision 1 ─ decide ✗ ─ read revision 2: reminded meanwhile → decide ✓
                                                  decided by another, or by us and the answer was lost
        """
        found = find_approval(self.approvals, tenant, approval)
        if found.decision == decision:
            return found
        self._check(found, decision)
        after = found.decided(decision)
        if not self.approvals.decide(found, after, _result(found, decision)):
            self._check_run(found)
            raise StoreConflict(f"{found.id} was changed meanwhile.")
        return after

    def _check(self, found: Approval, decision: Decision) -> None:
        if not found.may_decide(decision.by):
            raise _not_allowed(found, decision.by)
        if found.decision:
            first = found.decision
            raise _conflict(f"{first.by} decided at {first.at}: {first.decision}.")
        if found.status is ApprovalStatus.CANCELLED:
            raise _conflict("the run has ended.")
        if not found.is_open or found.due_at <= decision.at:
            raise _conflict(f"its time was over at {found.due_at}.")
        if found.task and not self.tasks.waits(found.tenant, found.run, found.task):
            # What contains it, such as a group, may end before the person's own deadline.
            raise _conflict("its task has ended and waits for no answer.")
        check_filled_in(found.asking.form, decision.form, completely=decision.decision == "approve")
        size = len(json.dumps(decision.model_dump(), ensure_ascii=False).encode())
        if size > DECISION_LIMIT_BYTES:
            raise InvalidRequest(
                f"the decision takes {size} bytes.", field="form", fix=f"keep it under {DECISION_LIMIT_BYTES}"
            )

    def _check_run(self, found: Approval) -> None:
        """Distinguish a run that takes no answer any more from a changed approval."""
        if find_approval(self.approvals, found.tenant, found.id).decision:
            return
        item = self.journal.call(found.key, found.wait)
        if item and item.result:
            raise _conflict(f"its time was over at {found.due_at}.")
        head = self.runtime.head(found.key)
        if head is None or head.ended:
            raise _conflict("the run has ended.")


def find_approval(approvals: Approvals, tenant: str, approval: str) -> Approval:
    """Read an approval; an unknown or foreign one is the caller's error."""
    check_id("approval_id", approval, APPROVAL_ID_PATTERN)
    found = approvals.approval(tenant, approval)
    if found is None:
        raise NotFound(
            f"there is no approval {approval!r}.",
            field="approval_id",
            fix="GET /approvals lists those that are open",
        )
    return found


def _result(approval: Approval, decision: Decision) -> ToolResult:
    """Build the call's result; a refused guard yields an error in place of the tool's result."""
    content, error = decision.model_dump(), None
    if approval.is_guard and decision.decision == "deny":
        error = ApprovalDenied.__name__
        content = {"error": error, "detail": f"{decision.by} said no; the call was not made.", **content}
    return ToolResult(call=approval.wait, tool=approval.tool, content=content, error=error)


def _not_allowed(approval: Approval, principal: str) -> NotAllowed:
    if approval.asking.not_requester and principal == approval.requester:
        registered = "workflow" if approval.task else "agent"
        return NotAllowed(
            f"{principal} has started the run, and may not decide about it.",
            field="approval_id",
            fix=f"let another principal decide, or register the {registered} with `not_requester: false`",
        )
    return NotAllowed(
        f"{principal} may not decide this.",
        field="approval_id",
        fix=f"it is for: {', '.join(approval.deciders)}",
    )


def _conflict(detail: str) -> Conflict:
    return Conflict(detail, field="approval_id", fix="nothing is left to decide; GET the approval to see it")


def _view(approval: Approval, hidden: frozenset[str] | set[str] = frozenset()) -> dict[str, Any]:
    """Show an approval as the API does."""
    parts = {"id", "status", "run", "call", "tool", "agent", "question", "details", "requester"}
    times = {"created_at", "due_at", "requested_at", "reminded_at", "escalated_at", "closed_at", "decision"}
    said = approval.model_dump(mode="json", include=(parts | times) - hidden)
    asking = approval.asking
    if approval.task:
        del said["agent"]
        said |= {"workflow": approval.task.workflow, "task": str(approval.task.key)}
    said |= {"approvers": list(approval.deciders), "not_requester": asking.not_requester}
    if "form" not in hidden:
        said["form"] = [field.model_dump(mode="json", exclude_defaults=True) for field in asking.form]
    if said["decision"] and "decision.form" in hidden:
        del said["decision"]["form"]
    return said
