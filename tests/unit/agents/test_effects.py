"""A `once` tool has at most one effect, whoever dies when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stepward.domain.errors import Bug
from stepward.domain.runs import RunKey
from stepward.testing.schedules.faults import Died
from stepward.testing.schedules.payment import Payment, payments
from tests.support.builders import a_turn, an_agent_body
from tests.support.driver import World
from tests.unit.agents.test_pause import pause, resume


@pytest.fixture
def run() -> Iterator[tuple[World, RunKey]]:
    with payments():
        world = World()
        turns = [{"call": [{"tool": "payment"}]}, {"say": "{% $results[0].content.error %}"}]
        world.register(an_agent_body(tools=[{"tool": "payment"}], rehearsal={"turns": turns}))
        yield world, world.start()


def test_it_runs_with_its_own_key(run: tuple[World, RunKey]) -> None:
    world, key = run
    asked = world.advance(key)
    assert world.call(key, asked, "call_1_1") == "done"
    assert Payment.made == [f"{key.run}:call_1_1"]


def test_a_death_after_the_mark_gives_outcome_unknown_and_no_second_effect(
    run: tuple[World, RunKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, key = run
    asked = world.advance(key)
    with monkeypatch.context() as dying:
        dying.setattr(world.journal, "put_result", lambda *_: (_ for _ in ()).throw(Died()))
        with pytest.raises(Died):
            world.call(key, asked, "call_1_1")
    assert world.call(key, asked, "call_1_1") == "done"
    assert len(Payment.made) == 1
    world.advance(key, called=asked.seq)
    assert world.show(key)["output"] == "outcome_unknown"


def test_the_advance_says_outcome_unknown_for_a_mark_without_result(run: tuple[World, RunKey]) -> None:
    world, key = run
    asked = world.advance(key)
    world.journal.mark_started(key, "call_1_1", "somebody who died")
    world.advance(key, called=asked.seq)
    assert world.show(key)["output"] == "outcome_unknown"


def test_a_result_after_the_turn_was_answered_is_late_and_unseen(run: tuple[World, RunKey]) -> None:
    world, key = run
    asked = world.advance(key)
    world.advance(key, called=asked.seq)
    assert "ToolFailed" in world.show(key)["output"]
    assert world.call(key, asked, "call_1_1") == "no longer wanted"
    assert Payment.made == []
    assert "ToolFailed" in world.show(key)["output"]


def test_a_cancelled_run_starts_no_effect(run: tuple[World, RunKey]) -> None:
    world, key = run
    asked = world.advance(key)
    world.cancel(key)
    assert world.call(key, asked, "call_1_1") == "no longer wanted"
    assert Payment.made == []


@pytest.mark.parametrize("times", [9, 10, 40])
def test_no_number_of_pauses_hides_a_cancel(run: tuple[World, RunKey], times: int) -> None:
    world, key = run
    asked = world.advance(key)
    for _ in range(times):
        pause(world, key)
        resume(world, key)
    world.cancel(key)
    world.call(key, asked, "call_1_1")
    assert Payment.made == []


def test_a_call_that_nobody_asked_for_is_a_bug(run: tuple[World, RunKey]) -> None:
    world, key = run
    asked = world.advance(key)
    with pytest.raises(Bug):
        world.call(key, asked, "call_9_9")


def test_a_call_that_a_claim_overtook_never_begins(
    run: tuple[World, RunKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The straggler has read the journal; then the run goes on without it; then the straggler marks."""
    world, key = run
    asked = world.advance(key)
    mark = world.journal.mark_started

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(world.journal, "mark_started", mark)
        world.advance(key, called=asked.seq)
        return mark(*args)

    monkeypatch.setattr(world.journal, "mark_started", overtaken)
    assert world.call(key, asked, "call_1_1") == "done"
    assert Payment.made == []
    assert "ToolFailed" in world.show(key)["output"]


def test_a_mark_that_the_advance_had_not_read_is_seen_after_its_claim(
    run: tuple[World, RunKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The advance has read the journal; then a straggler marks, pays and dies; then the advance claims."""
    world, key = run
    asked = world.advance(key)
    append = world.journal.append

    def late_mark(*args: Any) -> None:
        monkeypatch.setattr(world.journal, "append", append)
        world.journal.mark_started(key, "call_1_1", "a straggler")
        append(*args)

    monkeypatch.setattr(world.journal, "append", late_mark)
    world.advance(key, called=asked.seq)
    assert world.show(key)["output"] == "outcome_unknown"


def test_somebody_elses_late_bill_does_not_stop_a_call(run: tuple[World, RunKey]) -> None:
    world, key = run
    asked = world.advance(key)
    world.journal.append(key, (asked.newest or 0) + 1, a_turn(late=True, writer="somebody who lost"))
    assert world.call(key, asked, "call_1_1") == "done"
    assert len(Payment.made) == 1
