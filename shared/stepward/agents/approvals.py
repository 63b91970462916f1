"""Shows approvals and takes decisions: who may decide, until when, and what is to be filled in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.approval_ends import wake
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
from stepward.ports.approvals import Approvals
from stepward.ports.clock import Clock, iso
from stepward.ports.journal import Journal
from stepward.ports.run_machine import RunMachine, Tokens
from stepward.ports.runs import RuntimeState
from stepward.ports.tasks import NoTasks, TaskAnswers

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
