"""What kept approvals promise, in memory and on AWS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stepward.adapters.aws.approvals import DynamoApprovals
from stepward.adapters.memory.approvals import MemoryApprovals
from stepward.adapters.memory.registry import MemoryRegistry
from stepward.domain.approvals import Approval, ApprovalStatus, Decision, Note
from stepward.domain.conversation import ToolResult
from stepward.domain.errors import InvalidRequest
from stepward.domain.runs import Closing, RunStatus, Totals
from stepward.ports.runs import Settlement
from tests.support.builders import AT, LATER, a_key, a_new_run, an_approval

FORM = [{"name": "amount", "type": "number", "required": True}]
YES = Decision(decision="approve", by="ann", at=LATER, form={"amount": 5}, comment="fine")


@pytest.fixture
def approvals(ports: Any) -> Any:
    if isinstance(ports.registry, MemoryRegistry):
        return MemoryApprovals(ports.runtime, ports.journal)
    return DynamoApprovals("runtime", ports.journal)


def opened(ports: Any, approvals: Any, run: int = 1, **changed: Any) -> Approval:
    ports.runtime.start(a_new_run(run))
    kept = approvals.open(an_approval(run, **changed))
    assert kept is not None
    return kept


def result_of(approval: Approval, decision: Decision = YES) -> ToolResult:
    return ToolResult(call=approval.wait, tool=approval.tool, content=decision.model_dump())


def end(ports: Any, run: int = 1) -> None:
    closing = Closing(status=RunStatus.CANCELLED, ended_at=LATER, ended_seq=1, error=None, totals=Totals())
    ports.runtime.close(a_key(run), Settlement(closing=closing))


def test_an_approval_is_kept_as_it_is_asked(ports: Any, approvals: Any) -> None:
    asking = {"form": FORM, "approvers": ["ann"], "escalate_after_s": 90, "escalate_to": ["boss"]}
    kept = opened(ports, approvals, asking=asking, details={"total": 12.5})
    assert approvals.approval("acme", kept.id) == kept
    assert approvals.approval("other", kept.id) is None
    assert approvals.of_run(kept.key) == [kept]
    assert approvals.of_run(a_key(2)) == []


def test_asking_again_changes_nothing(ports: Any, approvals: Any) -> None:
    kept = opened(ports, approvals)
    assert approvals.open(an_approval(question="And now?")) == kept


def test_nothing_is_asked_for_a_run_that_has_ended(ports: Any, approvals: Any) -> None:
    ports.runtime.start(a_new_run())
    end(ports)
    assert approvals.open(an_approval()) is None
    assert approvals.of_run(a_key()) == []


def test_a_decision_and_the_runs_result_are_kept_together(ports: Any, approvals: Any) -> None:
    kept = opened(ports, approvals, asking={"form": FORM})
    assert approvals.decide(kept, kept.decided(YES), result_of(kept))
    found = approvals.approval("acme", kept.id)
    assert (found.status, found.decision, found.closed_at) == (ApprovalStatus.APPROVED, YES, LATER)
    assert ports.journal.call(kept.key, kept.call).result == result_of(kept)


def test_of_two_decisions_the_first_is_kept(ports: Any, approvals: Any) -> None:
    kept = opened(ports, approvals)
    no = Decision(decision="deny", by="bob", at=LATER)
    assert approvals.decide(kept, kept.decided(YES), result_of(kept))
    assert not approvals.decide(kept, kept.decided(no), result_of(kept, no))
    assert approvals.approval("acme", kept.id).decision == YES
    assert ports.journal.call(kept.key, kept.call).result == result_of(kept)


def test_of_many_decisions_at_once_one_is_kept(ports: Any, approvals: Any) -> None:
    kept = opened(ports, approvals)
    said = [Decision(decision="deny", by=f"person-{n}", at=LATER) for n in range(30)]
    with ThreadPoolExecutor(8) as pool:
        won = list(
            pool.map(lambda one: approvals.decide(kept, kept.decided(one), result_of(kept, one)), said)
        )
    assert sum(won) == 1
    winner = said[won.index(True)]
    assert approvals.approval("acme", kept.id).decision == winner
    assert ports.journal.call(kept.key, kept.call).result.content["by"] == winner.by


def test_a_decision_after_the_result_changes_nothing(ports: Any, approvals: Any) -> None:
    kept = opened(ports, approvals)
    nobody = ToolResult(call=kept.call, tool=kept.tool, content={}, error="NoAnswer")
    ports.journal.put_result(kept.key, nobody)
    assert not approvals.decide(kept, kept.decided(YES), result_of(kept))
    assert approvals.approval("acme", kept.id) == kept
    assert ports.journal.call(kept.key, kept.call).result == nobody


def test_a_decision_after_the_runs_end_changes_nothing(ports: Any, approvals: Any) -> None:
    kept = opened(ports, approvals)
    end(ports)
    assert not approvals.decide(kept, kept.decided(YES), result_of(kept))
    assert approvals.approval("acme", kept.id) == kept
    assert ports.journal.call(kept.key, kept.call) is None


def test_a_change_of_what_was_changed_meanwhile_is_refused(ports: Any, approvals: Any) -> None:
    kept = opened(ports, approvals)
    assert approvals.change(kept, kept.with_note(Note.REQUESTED, AT))
    assert not approvals.change(kept, kept.closed(ApprovalStatus.CANCELLED, LATER))
    assert not approvals.decide(kept, kept.decided(YES), result_of(kept))
    found = approvals.approval("acme", kept.id)
    assert (found.requested_at, found.revision, found.is_open) == (AT, 1, True)
    assert ports.journal.call(kept.key, kept.call) is None


def test_lists_are_of_what_is_open_and_of_the_rest(ports: Any, approvals: Any) -> None:
    times = ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z", "2026-01-02T00:00:00.000Z"]
    kept = [
        opened(ports, approvals, n, created_at=at, asking={"form": FORM}) for n, at in enumerate(times, 1)
    ]
    approvals.change(kept[1], kept[1].closed(ApprovalStatus.EXPIRED, LATER))
    page = approvals.list_approvals("acme", is_open=True, limit=10, cursor=None)
    assert [one.id for one in page.approvals] == [kept[2].id, kept[0].id]
    assert (page.cursor, page.approvals[0].asking.form) == (None, ())
    done = approvals.list_approvals("acme", is_open=False, limit=10, cursor=None)
    assert [one.status for one in done.approvals] == ["expired"]
    assert approvals.list_approvals("other", is_open=True, limit=10, cursor=None).approvals == []


def test_lists_come_in_pages(ports: Any, approvals: Any) -> None:
    kept = [opened(ports, approvals, n, created_at=f"2026-01-01T00:00:0{n}.000Z") for n in range(1, 6)]
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = approvals.list_approvals("acme", is_open=True, limit=2, cursor=cursor)
        seen, cursor, pages = [*seen, *(one.id for one in page.approvals)], page.cursor, pages + 1
    assert (seen, pages) == ([one.id for one in reversed(kept)], 3)


def test_a_cursor_that_nobody_gave_is_refused(ports: Any, approvals: Any) -> None:
    with pytest.raises(InvalidRequest):
        approvals.list_approvals("acme", is_open=True, limit=2, cursor="nonsense")


def test_what_is_due_is_named_until_it_is_seen_to(ports: Any, approvals: Any) -> None:
    kept = opened(ports, approvals, asking={"reminder_after_s": 60})
    assert approvals.due(AT, 10) == []
    assert approvals.due(LATER, 10) == [kept]
    approvals.change(kept, kept.with_note(Note.REQUESTED, AT))
    asked = approvals.due(LATER, 10)[0]
    approvals.change(asked, asked.with_note(Note.REMINDED, LATER))
    assert approvals.due(LATER, 10) == []
    assert [one.id for one in approvals.due("2026-02-01T00:00:00.000Z", 10)] == [kept.id]


def test_a_decision_is_due_until_the_run_was_woken(ports: Any, approvals: Any) -> None:
    kept = opened(ports, approvals)
    approvals.decide(kept, kept.decided(YES), result_of(kept))
    due = approvals.due("2026-02-01T00:00:00.000Z", 10)
    assert [one.decision for one in due] == [YES]
    approvals.mark_woken(due[0])
    assert approvals.due("2026-02-01T00:00:00.000Z", 10) == []


def test_what_ended_without_a_decision_is_not_due(ports: Any, approvals: Any) -> None:
    kept = opened(ports, approvals)
    approvals.change(kept, kept.closed(ApprovalStatus.CANCELLED, LATER))
    assert approvals.due("2026-02-01T00:00:00.000Z", 10) == []
