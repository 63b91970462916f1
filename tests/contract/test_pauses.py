"""What every runtime state promises of words about pausing, and of counting who waits."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.errors import StoreConflict
from stepward.domain.journal import Parked, Pause, Queued, Resume
from stepward.domain.run_lists import RunFilter
from stepward.domain.run_queue import QueuedRun, Slot, position_again
from stepward.domain.runs import Closing, RunStatus, Totals
from stepward.ports.run_queue import QueueView, SlotCount, SlotLimits
from stepward.ports.runs import Settlement
from tests.support.builders import AT, LATER, a_key, a_new_run

PAUSE, RESUME = Pause(at=AT, writer="p", by="ann"), Resume(at=AT, writer="r", by="bob")
PARKED = Parked(at=AT, writer="one", calls=("resume",), reason="pause")
LIMITS = SlotLimits(TenantLimits(active=10), AccountLimits(active=10))
CLOSING = Closing(status=RunStatus.CANCELLED, ended_at=LATER, ended_seq=3, error=None, totals=Totals())


def in_line(ports: Any, run: int = 1, **head: Any) -> QueuedRun:
    """Start a run that finds the one slot taken."""
    ports.runtime.start(a_new_run(99, active=1))
    ports.runtime.start(a_new_run(run, active=1, **head))
    found: QueuedRun = next(one for one in ports.run_queue.first("acme", 10) if one.run == a_key(run).run)
    return found


def test_a_word_is_written_into_journal_and_head_together(ports: Any) -> None:
    ports.runtime.start(a_new_run())
    ports.runtime.hold(a_key(), 2, PAUSE, None)
    assert ports.runtime.head(a_key()).paused is True
    assert ports.journal.newest(a_key()).record == PAUSE
    ports.runtime.release(a_key(), 3, RESUME, None)
    assert ports.runtime.head(a_key()).paused is False
    assert ports.journal.newest(a_key()).record == RESUME


@pytest.mark.parametrize("word", ["hold", "release"])
def test_a_word_for_a_place_that_is_taken_changes_nothing(ports: Any, word: str) -> None:
    waiting = in_line(ports)
    ports.runtime.hold(a_key(), 2, PAUSE, waiting.position)
    more = {"hold": (PAUSE.model_copy(update={"writer": "q"}), None), "release": (RESUME, waiting)}
    with pytest.raises(StoreConflict):
        getattr(ports.runtime, word)(a_key(), 2, *more[word])
    assert ports.runtime.head(a_key()).paused is True
    assert ports.run_queue.first("acme", 10) == []


def test_lists_show_who_is_paused(ports: Any) -> None:
    ports.runtime.start(a_new_run())
    ports.runtime.hold(a_key(), 2, PAUSE, None)
    page = ports.lists.list_runs("acme", RunFilter(day="2026-01-01"), limit=10)
    assert [head.paused for head in page.runs] == [True]


def test_a_run_leaves_the_line_with_its_pause_and_has_a_place_of_its_own_again(ports: Any) -> None:
    old = in_line(ports)
    ports.runtime.hold(a_key(), 2, PAUSE, old.position)
    assert ports.run_queue.first("acme", 10) == []
    again = old.model_copy(update={"position": position_again(old.position, 3), "seq": 3})
    ports.runtime.release(a_key(), 3, RESUME, again)
    ports.run_queue.leave(old)
    assert ports.run_queue.first("acme", 10) == [again]


def test_who_comes_back_to_the_same_place_is_not_taken_out_by_an_older_look(ports: Any) -> None:
    """Within one millisecond a run is admitted, parks and joins the line again: its place has the same name."""
    ports.runtime.start(a_new_run())
    position = f"0#{AT}#{a_key().run}"
    looks = []
    for parked in (2, 5):
        ports.runtime.park(a_key(), parked, PARKED, Slot(), ())
        joins = QueuedRun(tenant="acme", run=a_key().run, position=position, seq=parked, agent="helper")
        ports.runtime.queue(joins, Queued(at=AT, writer="one", position=position))
        looks += ports.run_queue.first("acme", 10)
        if parked == 2:
            ports.runtime.admit(looks[0], AT, "dispatch", LIMITS, None)
    old, new = looks
    assert (old.position, old.seq, new.position, new.seq) == (position, 3, position, 6)
    ports.run_queue.leave(old)
    assert ports.run_queue.first("acme", 10) == [new]
    ports.run_queue.leave(new)
    assert ports.run_queue.first("acme", 10) == []
    ports.run_queue.leave(new)


def test_who_is_paused_in_line_is_not_admitted_by_an_older_look(ports: Any) -> None:
    waiting = in_line(ports)
    ports.runtime.hold(a_key(), 2, PAUSE, waiting.position)
    with pytest.raises(StoreConflict):
        ports.runtime.admit(waiting, AT, "dispatch", LIMITS, None)
    assert ports.run_queue.count("acme") == SlotCount(active=1, parked=0)


def test_who_waits_is_counted_until_it_goes_on_or_ends(ports: Any) -> None:
    for run in (1, 2):
        ports.runtime.start(a_new_run(run))
        ports.runtime.park(a_key(run), 2, PARKED, Slot(), ())
    assert ports.run_queue.count("acme") == SlotCount(active=0, parked=2)
    going_on = QueuedRun(tenant="acme", run=a_key(1).run, position="", seq=2, agent="helper")
    assert ports.runtime.admit(going_on, AT, "one", LIMITS, None) is not None
    assert ports.run_queue.count("acme") == SlotCount(active=1, parked=1)
    ports.runtime.close(a_key(2), Settlement(CLOSING, parked=True))
    assert ports.run_queue.count("acme") == SlotCount(active=1, parked=0)
    assert ports.run_queue.count(None).active == 1
    assert ports.run_queue.count("globex") == SlotCount(active=0, parked=0)


def test_who_is_admitted_for_the_first_time_did_not_wait(ports: Any) -> None:
    assert ports.runtime.admit(in_line(ports), AT, "dispatch", LIMITS, None) is not None
    assert ports.run_queue.count("acme") == SlotCount(active=2, parked=0)


def test_who_has_its_answers_is_admitted_at_the_first_try(ports: Any) -> None:
    ports.runtime.start(a_new_run())
    ports.runtime.park(a_key(), 2, PARKED, Slot(), ())
    position = f"0#{AT}#{a_key().run}"
    joins = QueuedRun(tenant="acme", run=a_key().run, position=position, seq=2, agent="helper")
    ports.runtime.queue(joins, Queued(at=AT, writer="one", position=position))
    assert ports.runtime.admit(ports.run_queue.first("acme", 1)[0], AT, "dispatch", LIMITS, None) is not None
    assert ports.run_queue.count("acme") == SlotCount(active=1, parked=0)


def test_a_line_is_looked_at_by_priority_and_age(ports: Any) -> None:
    assert ports.run_queue.view("acme") == QueueView({"resume": 0, "high": 0, "normal": 0, "low": 0}, None)
    for run, priority in enumerate(("low", "high", "high"), start=1):
        in_line(ports, run, priority=priority, created_at=f"2026-01-0{run}T00:00:00.000Z")
    found = ports.run_queue.view("acme")
    assert found.lengths == {"resume": 0, "high": 2, "normal": 0, "low": 1}
    assert found.oldest_since == "2026-01-01T00:00:00.000Z"
    assert sum(ports.run_queue.view("globex").lengths.values()) == 0


def test_a_token_that_was_given_up_does_not_take_the_place_of_a_newer_one(ports: Any) -> None:
    assert ports.tokens.of(a_key(), "slot") is None
    assert ports.tokens.keep(a_key(), "slot", "second", f"{AT}#001")
    assert not ports.tokens.keep(a_key(), "slot", "first", f"{AT}#000")
    assert ports.tokens.of(a_key(), "slot") == "second"
    assert ports.tokens.keep(a_key(), "slot", "second", f"{AT}#001")
    assert ports.tokens.keep(a_key(), "slot", "third", f"{LATER}#000")
    assert ports.tokens.keep(a_key(), "slot", "of a machine that does not say")
    assert ports.tokens.of(a_key(), "slot") == "of a machine that does not say"
