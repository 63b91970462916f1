"""Agents ask people: who may decide, and what the run is told."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.budgets import TenantLimits
from stepward.domain.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from tests.support.approval_runs import FORM, Waiter, Waiting, an_asker, dying, listed, refused, shown
from tests.support.driver import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def waiting(world: World) -> Waiter:
    return lambda *calls, **config: Waiting(world, an_asker(*calls, **config))


def told(world: World) -> list[str]:
    return [type_ for _, type_, _ in world.told.events]


def test_a_decision_is_what_the_run_is_told(world: World, waiting: Waiter) -> None:
    run = waiting(form=FORM)
    seen = world.decide(run.id, form={"amount": 40, "why": "late"}, comment="fine")
    assert (seen["status"], seen["question"], seen["details"]) == (
        "approved",
        "Refund 40 EUR?",
        {"order": "SO-1"},
    )
    content = world.journal.call(run.key, run.approvals[0].call).result.content  # type: ignore[union-attr]
    assert content == {
        "decision": "approve", "by": "ann", "at": "2026-01-01T00:00:00.000Z",
        "form": {"amount": 40, "why": "late"}, "comment": "fine",
    }  # fmt: skip
    assert '"by":"ann"' in run.go_on()["output"].replace(" ", "")
    assert (listed(world), listed(world, "done")) == ([], ["approved"])


def test_a_no_is_an_answer_too_and_needs_no_form(world: World, waiting: Waiter) -> None:
    run = waiting(form=FORM)
    assert world.decide(run.id, "deny", comment="no money")["status"] == "denied"
    assert "no money" in run.go_on()["output"]


def test_who_waits_holds_no_slot_and_nothing_of_its_budget(world: World, waiting: Waiter) -> None:
    run = waiting()
    assert world.run_queue.slots == {}
    assert world.show(run.key)["status"] == "WAITING"
    assert run.answer.waits and run.answer.waits[0].seconds == 7 * 86_400


def test_five_hundred_wait_with_one_slot_and_each_for_a_year(world: World) -> None:
    world.limits.change("acme", TenantLimits(active=1), 0)
    world.register(an_asker(timeout_s=31_536_000))
    keys = []
    for _ in range(500):
        keys.append(world.start("asker"))
        answer = world.advance(keys[-1])
        assert answer.waits and answer.waits[0].seconds == 31_536_000
        world.wait(keys[-1], answer, answer.waits[0].call)
    assert world.run_queue.slots == {}
    assert world.run_queue.most_active["acme"] == 1
    assert {head.status.value for head in world.runtime.heads.values()} == {"WAITING"}
    assert world.machine.answered == []
    assert len(listed(world, limit="100")) == 100


def test_it_is_asked_and_told_once_however_often_the_wait_is_opened(world: World, waiting: Waiter) -> None:
    run = waiting()
    for _ in range(3):
        run.open()
    assert len(run.approvals) == 1
    assert told(world) == ["agent.approval.requested"]
    detail = world.told.events[0][2]
    assert (detail["id"], detail["approval"]) == (f"{run.id}#requested", run.id)
    assert "details" not in detail


def test_a_dispatch_that_dies_before_it_tells_is_made_up_for(world: World) -> None:
    world.register(an_asker())
    key = world.start("asker")
    answer = world.advance(key)
    put = world.told.put
    world.told.put = dying  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        world.wait(key, answer, (answer.waits or [])[0].call)
    world.told.put = put  # type: ignore[method-assign]
    world.clock.forward(60)
    assert world.tend() == {"requested": 1}
    assert world.tend() == {}


def test_arguments_that_nobody_could_read_ask_nobody(world: World, waiting: Waiter) -> None:
    run = waiting({"tool": "ask_person", "arguments": {"query": "?"}})
    assert run.approvals == []
    assert "ToolArgumentInvalid" in run.go_on()["output"]


# ── who may decide ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_those_who_are_named_may_decide(world: World, waiting: Waiter) -> None:
    run = waiting(approvers=["bob", "eve@example.org"])
    assert "bob" in refused(run, NotAllowed, by="ann").fix
    assert world.decide(run.id, by="bob")["decision"]["by"] == "bob"


def test_who_started_the_run_may_not_decide_unless_the_agent_says_so(world: World, waiting: Waiter) -> None:
    run = waiting(approvers=["tester", "bob"])
    assert "started the run" in refused(run, NotAllowed, by="tester").detail
    again = Waiting(world, {**an_asker(not_requester=False), "id": "lenient"})
    assert world.decide(again.id, by="tester")["status"] == "approved"


def test_a_second_decision_is_told_who_was_first(world: World, waiting: Waiter) -> None:
    run = waiting()
    world.decide(run.id, by="ann")
    error = refused(run, Conflict, by="bob", decision="deny")
    assert "ann decided at 2026-01-01T00:00:00.000Z: approve" in error.detail
    assert "ann decided" in refused(run, Conflict, by="ann", comment="again").detail


def test_a_decision_whose_answer_was_lost_is_taken_as_it_is(world: World, waiting: Waiter) -> None:
    """The store keeps it and the call fails: the use case finds its own decision and goes on."""
    run = waiting()
    decide = world.approvals.decide

    def loses_the_answer(*said: Any) -> bool:
        assert decide(*said)
        world.approvals.decide = decide  # type: ignore[method-assign]
        return False

    world.approvals.decide = loses_the_answer  # type: ignore[method-assign]
    assert world.decide(run.id)["status"] == "approved"
    assert run.go_on()["status"] == "COMPLETED"


def test_two_at_once_have_one_winner(world: World, waiting: Waiter) -> None:
    run = waiting()
    decide = world.approvals.decide

    def overtaken(*said: Any) -> bool:
        world.approvals.decide = decide  # type: ignore[method-assign]
        world.decide(run.id, "deny", by="bob")
        return bool(decide(*said))

    world.approvals.decide = overtaken  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="bob decided"):
        world.decide(run.id, by="ann")
    assert shown(world, run.id)["decision"]["by"] == "bob"
    assert '"deny"' in run.go_on()["output"]


def test_a_reminder_between_reading_and_deciding_does_no_harm(world: World, waiting: Waiter) -> None:
    run = waiting(reminder_after_s=60)
    decide = world.approvals.decide

    def reminded(*said: Any) -> bool:
        world.approvals.decide = decide  # type: ignore[method-assign]
        world.clock.forward(61)
        assert world.tend() == {"reminded": 1}
        return bool(decide(*said))

    world.approvals.decide = reminded  # type: ignore[method-assign]
    assert world.decide(run.id)["reminded_at"]
    assert run.go_on()["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("given", "field", "fix"),
    [
        ({}, "form.amount", "How much"),
        ({"amount": "40"}, "form.amount", "use a number"),
        ({"amount": True}, "form.amount", "use a number"),
        ({"amount": 1, "why": "dull"}, "form.why", "late, broken"),
        ({"amount": 1, "on": "2026-13-01"}, "form.on", "2026-11-21"),
        ({"amount": 1, "vip": "yes"}, "form.vip", "true or false"),
        ({"amount": 1, "note": 3}, "form.note", "text"),
        ({"amount": 1, "notes": "x"}, "form.notes", "did you mean 'note'?"),
    ],
)
def test_a_form_is_checked_field_by_field(
    world: World, waiting: Waiter, given: dict[str, Any], field: str, fix: str
) -> None:
    error = refused(waiting(form=FORM), InvalidRequest, form=given)
    assert error.field == field
    assert fix in error.fix


def test_all_faults_of_a_form_come_at_once(world: World, waiting: Waiter) -> None:
    error = refused(waiting(form=FORM), InvalidRequest, form={"vip": 1, "on": "soon"})
    assert [one["field"] for one in error.errors] == ["form.on", "form.vip", "form.amount"]


@pytest.mark.parametrize("body", [{"decision": "maybe"}, {"decision": "approve", "commment": "x"}, {}])
def test_a_decision_of_another_shape_is_refused(world: World, waiting: Waiter, body: dict[str, Any]) -> None:
    run = waiting()
    with pytest.raises(InvalidRequest):
        world.decide(run.id, body.pop("decision", "perhaps"), **body)


@pytest.mark.parametrize("name", ["nonsense", "run_00000000000000000000000009.call_1_1", "../x"])
def test_what_does_not_exist_cannot_be_decided(world: World, name: str) -> None:
    with pytest.raises((NotFound, InvalidRequest)):
        world.decide(name)
