"""Check what must hold of approvals after every schedule.

The first decision counts, the run receives it, and nothing was done without it.
"""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.approvals import Approval, ApprovalStatus
from stepward.domain.run_state import RunState, fold
from stepward.testing.schedules.payment import CHECKED_PAYMENT, Payment
from stepward.testing.schedules.platform import Platform


def approval_violations(platform: Platform, decided: list[tuple[str, str]]) -> Iterator[str]:
    """Yield every violation of an invariant of approvals.

    `decided` are approvals, each with a person who was answered that the decision is theirs.
    """
    kept = {one.id: one for key in platform.runtime.heads for one in platform.approvals.of_run(key)}
    for approval in kept.values():
        yield from _is_settled(platform, approval)
    for name, person in decided:
        first = kept[name].decision
        if first is None or first.by != person:
            yield f"{name}: {person} was answered to have decided, kept is {first!r:.200}"
    for key in platform.runtime.heads:
        yield from _asked_first(fold(platform.journal.load(key)), key.run, kept)
    for left in platform.approvals.due("9999", 100):
        yield f"{left.id}: stays due for a reminder for ever"


def _is_settled(platform: Platform, approval: Approval) -> Iterator[str]:
    if approval.is_open:
        yield f"{approval.id}: stays open, though its run has ended"
    item = platform.journal.call(approval.key, approval.wait)
    heard = item.result.content.get("by") if item and item.result else None
    said = approval.decision.by if approval.decision else None
    if heard != said:
        yield f"{approval.id}: {said} decided, the run received the decision of {heard}"


def _asked_first(state: RunState, run: str, kept: dict[str, Approval]) -> Iterator[str]:
    """A guarded payment is made after a yes and never otherwise."""
    replies = [exchange.reply for exchange in state.history] + (
        [state.pending.reply] if state.pending else []
    )
    for call in (call for reply in replies for call in reply.calls if call.tool == CHECKED_PAYMENT):
        approval = kept.get(f"{run}.{call.id}")
        said_yes = approval is not None and approval.status is ApprovalStatus.APPROVED
        if f"{run}:{call.id}" in Payment.made and not said_yes:
            yield f"{run}:{call.id}: paid without a yes"
