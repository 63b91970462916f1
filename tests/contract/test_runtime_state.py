"""What every table of heads promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stepward.domain.errors import Conflict, StoreConflict
from stepward.domain.journal import Continued
from stepward.domain.run_lists import RunFilter
from stepward.domain.run_queue import Slot
from stepward.domain.runs import Closing, RunError, RunStatus, Totals
from stepward.ports.run_queue import Freed
from stepward.ports.runs import IdempotencyKey, Settlement, Started
from tests.support.builders import LATER, a_created, a_head, a_key, a_new_run, a_turn

CLOSING = Closing(
    status=RunStatus.FAILED,
    ended_at=LATER,
    ended_seq=3,
    error=RunError(code="Bug", detail="it broke"),
    totals=Totals(turns=2, cost_usd_micros=99),
)


def an_idempotency_key(body: str = "one", key: str = "k1") -> IdempotencyKey:
    return IdempotencyKey(principal="tester", key=key, body_sha256=body, expires_at=2_000_000_000)


def test_a_start_creates_head_and_first_record(ports: Any) -> None:
    assert ports.runtime.start(a_new_run()) == Started(a_head(), is_new=True)
    assert ports.runtime.head(a_key()) == a_head()
    assert ports.journal.newest(a_key()).record == a_created(slot=Slot())


def test_an_unknown_run_has_no_head(ports: Any) -> None:
    assert ports.runtime.head(a_key(7)) is None
    ports.runtime.start(a_new_run())
    assert ports.runtime.head(a_key(1, tenant="other")) is None


def test_the_same_key_finds_the_same_run(ports: Any) -> None:
    ports.runtime.start(a_new_run(1, idempotency=an_idempotency_key()))
    assert ports.runtime.start(a_new_run(2, idempotency=an_idempotency_key())).head.run == a_key(1).run
    assert ports.runtime.head(a_key(2)) is None
    assert ports.journal.newest(a_key(2)) is None


def test_the_same_key_with_another_body_is_refused(ports: Any) -> None:
    ports.runtime.start(a_new_run(1, idempotency=an_idempotency_key("one")))
    with pytest.raises(Conflict) as refused:
        ports.runtime.start(a_new_run(2, idempotency=an_idempotency_key("two")))
    assert refused.value.field == "Idempotency-Key"
    assert ports.runtime.head(a_key(2)) is None


def test_a_run_is_closed_once(ports: Any) -> None:
    again = CLOSING.model_copy(update={"status": RunStatus.COMPLETED})
    ports.runtime.start(a_new_run())
    assert ports.runtime.close(a_key(), Settlement(CLOSING, slot=Slot())) == Freed(done=True)
    assert ports.runtime.close(a_key(), Settlement(again, slot=Slot())) == Freed(done=False)
    head = ports.runtime.head(a_key())
    assert (head.status, head.ended_at, head.ended_seq) == (RunStatus.FAILED, LATER, 3)
    assert (head.error.code, head.totals.cost_usd_micros) == ("Bug", 99)


def test_a_late_reply_is_written_and_counted_together(ports: Any) -> None:
    ports.runtime.start(a_new_run())
    late, totals = a_turn(late=True), Totals(turns=3, cost_usd_micros=120)
    with pytest.raises(StoreConflict):
        ports.runtime.book_late(a_key(), 2, late, totals, (), None)
    assert ports.journal.newest(a_key()).seq == 1
    ports.runtime.close(a_key(), Settlement(CLOSING, slot=Slot()))
    ports.runtime.book_late(a_key(), 2, late, totals, (), None)
    assert ports.runtime.head(a_key()).totals == totals
    with pytest.raises(StoreConflict):
        ports.runtime.book_late(a_key(), 2, a_turn(late=True, writer="another"), Totals(), (), None)
    assert ports.runtime.head(a_key()).totals == totals
    assert ports.journal.newest(a_key()).record == late


def seven_runs(ports: Any) -> None:
    for number in range(1, 8):
        at = f"2026-01-0{1 if number < 5 else 2}T00:00:0{number}.000Z"
        agent = "odd" if number % 2 else "even"
        ports.runtime.start(a_new_run(number, created_at=at, agent=agent))
    ports.runtime.start(a_new_run(8, tenant="other", created_at="2026-01-02T00:00:09.000Z"))
    ports.clock.forward(86_400)


def listed(ports: Any, **query: Any) -> list[list[int]]:
    pages, before = [], None
    limit = query.pop("limit", 3)
    while True:
        page = ports.lists.list_runs("acme", RunFilter(**query), limit=limit, before=before)
        pages.append([int(head.run.removeprefix("run_")) for head in page.runs])
        before = page.reached
        if before is None:
            return [page for page in pages if page]


def test_runs_are_listed_newest_first_over_days(ports: Any) -> None:
    seven_runs(ports)
    assert [run for page in listed(ports) for run in page] == [7, 6, 5, 4, 3, 2, 1]
    assert listed(ports)[0] == [7, 6, 5]


def test_lists_go_back_over_months(ports: Any) -> None:
    for number, month in enumerate(("2025-03", "2025-12", "2026-01"), start=1):
        ports.runtime.start(a_new_run(number, created_at=f"{month}-15T00:00:00.000Z"))
    assert listed(ports, limit=1) == [[3], [2], [1]]


def test_runs_of_a_day_and_of_an_agent_are_listed(ports: Any) -> None:
    seven_runs(ports)
    assert listed(ports, day="2026-01-01") == [[4, 3, 2], [1]]
    assert listed(ports, name="odd") == [[7, 5, 3], [1]]
    assert listed(ports, name="odd", day="2026-01-01") == [[3, 1]]


def test_lists_say_who_answered_and_whether_that_was_charged(ports: Any) -> None:
    ports.runtime.start(a_new_run(1))
    ports.runtime.start(a_new_run(2, charged=False))
    ports.runtime.start(a_new_run(3, rehearsed=False, models=("claude-haiku-4-5",)))
    closing = CLOSING.model_copy(update={"models": ("claude-haiku-4-5", "claude-opus-5-5")})
    ports.runtime.close(a_key(3), Settlement(closing, slot=Slot()))
    heads = ports.lists.list_runs("acme", RunFilter(), limit=10).runs
    assert [(head.answered_by, head.charged) for head in heads] == [
        ("claude-haiku-4-5, claude-opus-5-5", True),
        ("rehearsal", False),
        ("rehearsal", True),
    ]


def test_runs_since_an_instant_and_with_a_status_are_listed(ports: Any) -> None:
    seven_runs(ports)
    ports.runtime.close(a_key(2), Settlement(CLOSING, slot=Slot()))
    ports.runtime.close(a_key(6), Settlement(CLOSING, slot=Slot()))
    assert listed(ports, since="2026-01-01T00:00:04.000Z") == [[7, 6, 5], [4]]
    assert listed(ports, since="2026-01-01T00:00:04.000Z", name="even") == [[6, 4]]
    assert listed(ports, since="2026-01-03T00:00:00.000Z") == []
    assert listed(ports, status="FAILED", limit=1) == [[6], [2]]
    assert listed(ports, status="FAILED", day="2026-01-02") == [[6]]
    assert listed(ports, status="CANCELLED") == []
    assert listed(ports, day="2026-01-01", since="2026-01-02T00:00:00.000Z") == []


def test_a_days_runs_are_counted_by_status(ports: Any) -> None:
    seven_runs(ports)
    ports.runtime.close(a_key(1), Settlement(CLOSING, slot=Slot()))
    assert ports.lists.count_by_status("acme", "2026-01-01") == {"RUNNING": 3, "FAILED": 1}


def test_open_runs_are_those_that_have_not_ended(ports: Any) -> None:
    seven_runs(ports)
    ports.runtime.close(a_key(2), Settlement(CLOSING, slot=Slot()))
    before = "2026-01-02T00:00:06.000Z"
    assert [head.run for head in ports.lists.open_runs(before, 10)] == [a_key(n).run for n in (1, 3, 4, 5)]
    assert len(ports.lists.open_runs("2027", 3)) == 3


def test_of_many_starts_with_one_key_one_wins(ports: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(
            pool.map(
                lambda n: ports.runtime.start(a_new_run(n, idempotency=an_idempotency_key())).head.run,
                range(1, 30),
            )
        )
    assert len(set(runs)) == 1


def test_an_epoch_begins_in_journal_and_head_together_and_once(ports: Any) -> None:
    ports.runtime.start(a_new_run())
    second = Continued(at=LATER, writer="one", epoch=2)
    with pytest.raises(StoreConflict):
        ports.runtime.begin_epoch(a_key(), 2, second.model_copy(update={"epoch": 3}))
    ports.runtime.begin_epoch(a_key(), 2, second)
    assert ports.runtime.head(a_key()).execution_name == f"{a_key().run}.2"
    assert ports.journal.newest(a_key()).record == second
    for seq in (2, 3):
        with pytest.raises(StoreConflict):
            ports.runtime.begin_epoch(a_key(), seq, second)
    assert [head.epoch for head in ports.lists.open_runs("9999", 10)] == [2]


def test_no_epoch_begins_after_the_end(ports: Any) -> None:
    ports.runtime.start(a_new_run())
    ports.runtime.close(a_key(), Settlement(CLOSING, slot=Slot()))
    with pytest.raises(StoreConflict):
        ports.runtime.begin_epoch(a_key(), 2, Continued(at=LATER, writer="one", epoch=2))
    assert ports.journal.newest(a_key()).seq == 1
    assert ports.runtime.head(a_key()).epoch == 1
