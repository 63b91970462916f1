"""What becomes of approvals in time: reminders, escalation, no answer, the run's own end."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.reconcile import ReconcileRuns
from stepward.domain.approvals import Approval
from stepward.domain.errors import (
    Conflict,
    DependencyTimeout,
    InvalidRequest,
    NotAllowed,
    NotFound,
    StoreConflict,
)
from tests.support.approval_runs import (
    ASK,
    FORM,
    Waiter,
    Waiting,
    an_asker,
    dying,
    listed,
    refused,
    show_case,
    shown,
)
from tests.support.driver import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def waiting(world: World) -> Waiter:
    return lambda *calls, **config: Waiting(world, an_asker(*calls, **config))


def told(world: World) -> list[str]:
    return [type_ for _, type_, _ in world.told.events]


def test_nobody_answers_in_time(world: World, waiting: Waiter) -> None:
    run = waiting(timeout_s=60)
    world.clock.forward(61)
    assert "over at 2026-01-01T00:01:00.000Z" in refused(run, Conflict).detail
    assert run.timeout().next == "done"
    assert "NoAnswer" in world.show(run.key)["output"]
    assert (shown(world, run.id)["status"], listed(world), listed(world, "done")) == (
        "expired",
        [],
        ["expired"],
    )
    assert world.tend() == {}
    refused(run, Conflict)


def test_the_janitor_ends_what_is_late_where_the_machine_takes_longer(world: World, waiting: Waiter) -> None:
    run = waiting(timeout_s=60)
    world.clock.forward(61)
    assert (shown(world, run.id)["status"], listed(world), listed(world, "done")) == ("expired", [], [])
    assert world.tend() == {"expired": 1}
    assert listed(world, "done") == ["expired"]
    assert run.timeout().next == "done"


def test_a_wait_that_the_machine_gave_up_at_once_leaves_no_question(world: World, waiting: Waiter) -> None:
    """Its dispatch failed for good after it had asked; the advance that hears of it dies on the way, too."""
    run = waiting(ASK, ASK)
    world.decide(run.approvals[0].id)
    change = world.approvals.change
    world.approvals.change = dying  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        run.timeout()
    world.approvals.change = change  # type: ignore[method-assign]
    assert run.timeout().next == "done"
    assert [one.status for one in run.approvals] == ["approved", "expired"]
    assert listed(world) == []


def test_who_ends_a_wait_late_leaves_what_is_asked_in_the_next_turn(world: World) -> None:
    """Two invocations hear that nobody answered; one has gone on and asked again before the other closes questions."""
    body = an_asker()
    body["rehearsal"]["turns"] = [{"call": [ASK]}, {"call": [ASK]}, {"say": "{% $results[1].content.by %}"}]
    run = Waiting(world, body)
    of_run = world.approvals.of_run

    def overtaken(*said: Any) -> Any:
        world.approvals.of_run = of_run  # type: ignore[method-assign]
        run.answer = run.timeout()
        run.open()
        return of_run(*said)

    world.approvals.of_run = overtaken  # type: ignore[method-assign]
    with pytest.raises(StoreConflict):
        run.timeout()
    assert [one.status for one in run.approvals] == ["expired", "open"]
    world.decide(run.approvals[1].id)
    assert world.advance(run.key, awaited=run.answer.seq).next == "done"
    assert world.show(run.key)["output"] == run.approvals[1].decision.by  # type: ignore[union-attr]


def test_a_decision_that_comes_after_the_machine_gave_up_changes_nothing(
    world: World, waiting: Waiter
) -> None:
    """The machine's clock is ahead of ours: its word that nobody answered was first."""
    run = waiting()
    run.timeout()
    assert "time was over" in refused(run, Conflict).detail
    assert shown(world, run.id)["status"] == "expired"


def test_a_decision_that_comes_before_the_machines_word_wins(world: World, waiting: Waiter) -> None:
    run = waiting()
    world.decide(run.id)
    run.timeout()
    assert '"approve"' in world.show(run.key)["output"]
    assert shown(world, run.id)["status"] == "approved"


def test_people_are_reminded_once_and_others_are_asked_after_that(world: World, waiting: Waiter) -> None:
    run = waiting(approvers=["bob"], reminder_after_s=60, escalate_after_s=120, escalate_to=["boss"])
    refused(run, NotAllowed, by="boss")
    world.clock.forward(61)
    assert (world.tend(), world.tend()) == ({"reminded": 1}, {})
    world.clock.forward(60)
    assert (world.tend(), world.tend()) == ({"escalated": 1}, {})
    kinds = [name.rpartition(".")[2] for name in told(world)]
    assert kinds == ["requested", "reminded", "escalated"]
    assert world.told.events[-1][2]["approvers"] == ["bob", "boss"]
    assert world.decide(run.id, by="boss")["decision"]["by"] == "boss"


def test_two_janitors_note_a_reminder_once(world: World, waiting: Waiter) -> None:
    run = waiting(reminder_after_s=60)
    world.clock.forward(61)
    before = run.approvals[0]
    assert world.tend() == {"reminded": 1}
    assert not world.approvals.change(before, before)


def test_an_approval_that_cannot_be_told_of_keeps_no_other_from_it(world: World) -> None:
    first, second = (Waiting(world, {**an_asker(reminder_after_s=60), "id": name}) for name in ("one", "two"))
    world.clock.forward(61)
    put = world.told.put

    def picky(source: str, type_: str, detail: dict[str, Any]) -> None:
        if detail["approval"] == first.id:
            raise DependencyTimeout("the event bus did not take it")
        put(source, type_, detail)

    world.told.put = picky  # type: ignore[method-assign]
    with pytest.raises(DependencyTimeout):
        world.tend()
    assert (first.approvals[0].reminded_at, bool(second.approvals[0].reminded_at)) == (None, True)


def test_a_decider_who_dies_before_waking_the_run_is_made_up_for(world: World, waiting: Waiter) -> None:
    run = waiting()
    world.tokens.of = dying  # type: ignore[assignment]
    with pytest.raises(RuntimeError):
        world.decide(run.id)
    del world.tokens.of  # type: ignore[method-assign]
    assert world.machine.answered == []
    world.clock.forward(60)
    assert world.tend() == {"woken": 1}
    assert run.go_on()["status"] == "COMPLETED"
    assert world.tend() == {}


def test_a_cancelled_runs_approvals_close(world: World, waiting: Waiter) -> None:
    run = waiting(ASK, ASK)
    world.decide(run.approvals[0].id)
    world.cancel(run.key)
    assert [one.status for one in run.approvals] == ["approved", "cancelled"]
    assert listed(world) == []
    with pytest.raises(Conflict, match="the run has ended"):
        world.decide(run.approvals[1].id)


def test_a_run_that_ended_asks_nobody(world: World) -> None:
    """The wait is opened while the run is being cancelled: the head decides."""
    world.register(an_asker())
    key = world.start("asker")
    answer = world.advance(key)
    opened = world.approvals.open

    def cancelled_before(approval: Approval) -> Approval | None:
        world.cancel(key)
        return opened(approval)

    world.approvals.open = cancelled_before  # type: ignore[method-assign]
    world.wait(key, answer, (answer.waits or [])[0].call)
    assert world.approvals.of_run(key) == []
    assert world.told.events == []


def test_a_settler_who_dies_leaves_the_rest_to_the_janitor(world: World, waiting: Waiter) -> None:
    run = waiting()
    of_run = world.approvals.of_run
    world.approvals.of_run = dying  # type: ignore[assignment]
    with pytest.raises(RuntimeError):
        world.end_unseen(run.key)
    world.approvals.of_run = of_run  # type: ignore[method-assign]
    assert run.key in world.runtime.untold
    world.clock.forward(60)
    ReconcileRuns(world.ports)()
    assert [one.status for one in run.approvals] == ["cancelled"]
    assert run.key not in world.runtime.untold


def test_a_decision_at_the_moment_of_the_end_is_refused(world: World, waiting: Waiter) -> None:
    run = waiting()
    decide = world.approvals.decide

    def ended(*said: Any) -> bool:
        world.approvals.decide = decide  # type: ignore[method-assign]
        world.cancel(run.key)
        return bool(decide(*said))

    world.approvals.decide = ended  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="the run has ended"):
        world.decide(run.id)
    assert run.approvals[0].status == "cancelled"


def test_another_tenants_approval_is_not_there(world: World, waiting: Waiter) -> None:
    run = waiting()
    show = show_case(world)
    with pytest.raises(NotFound):
        show.detail("other", run.id)
    assert show.list("other", {})["approvals"] == []


def test_lists_leave_out_what_is_long_and_refuse_what_is_unknown(world: World, waiting: Waiter) -> None:
    run = waiting(form=FORM)
    show = show_case(world)
    one = show.list("acme", {})["approvals"][0]
    assert one["id"] == run.id
    assert not {"details", "form"} & one.keys()
    for wrong in ({"status": "all"}, {"limit": "0"}, {"cursor": "x"}):
        with pytest.raises(InvalidRequest):
            show.list("acme", wrong)
