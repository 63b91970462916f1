"""What every journal promises."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.conversation import ToolResult
from stepward.domain.errors import StoreConflict
from stepward.domain.journal import CallOutcome, Results
from tests.support.builders import AT, a_created, a_key, a_turn

KEY = a_key()


def test_records_come_back_as_they_were_written(ports: Any) -> None:
    records = [a_created(), a_turn()]
    for seq, record in enumerate(records, start=1):
        ports.journal.append(KEY, seq, record)
    assert [item.record for item in ports.journal.load(KEY).records] == records
    assert [item.seq for item in ports.journal.load(KEY, 2).records] == [2]
    assert ports.journal.newest(KEY).record == records[1]


def test_a_place_is_taken_once(ports: Any) -> None:
    ports.journal.append(KEY, 1, a_created(writer="first"))
    with pytest.raises(StoreConflict):
        ports.journal.append(KEY, 1, a_created(writer="second"))
    assert ports.journal.newest(KEY).record.writer == "first"


def test_the_same_record_again_is_the_same_write(ports: Any) -> None:
    ports.journal.append(KEY, 1, a_created())
    ports.journal.append(KEY, 1, a_created())
    assert len(ports.journal.load(KEY).records) == 1


def test_a_large_record_comes_back_whole(ports: Any) -> None:
    given = {"text": "ä" * 400_000}
    ports.journal.append(KEY, 1, a_created(input=given))
    ports.journal.append(KEY, 1, a_created(input=given))
    assert ports.journal.newest(KEY).record.input == given
    with pytest.raises(StoreConflict):
        ports.journal.append(KEY, 1, a_created(input={"text": "ö" * 400_000}))


def test_runs_do_not_see_each_other(ports: Any) -> None:
    ports.journal.append(KEY, 1, a_created())
    for other in (a_key(2), a_key(1, tenant="other")):
        assert ports.journal.load(other).records == ()
        assert ports.journal.newest(other) is None


def test_a_page_is_as_long_as_asked(ports: Any) -> None:
    ports.journal.append(KEY, 1, a_created())
    for seq in range(2, 6):
        ports.journal.append(KEY, seq, a_turn(seq))
    assert [item.seq for item in ports.journal.read(KEY, 2, 3).records] == [2, 3, 4]


def test_the_first_result_of_a_call_stays(ports: Any) -> None:
    first = ToolResult(call="c1", tool="t", content={"n": 1})
    assert ports.journal.put_result(KEY, first) is True
    assert ports.journal.put_result(KEY, first) is True
    assert ports.journal.put_result(KEY, ToolResult(call="c1", tool="t", content={"n": 2})) is False
    assert ports.journal.load(KEY).calls["c1"].result == first


def test_a_large_result_comes_back_whole(ports: Any) -> None:
    result = ToolResult(call="c1", tool="t", content="x" * 200_000)
    assert ports.journal.put_result(KEY, result) is True
    assert ports.journal.load(KEY).calls["c1"].result == result


def test_a_call_is_marked_once(ports: Any) -> None:
    assert ports.journal.mark_started(KEY, "c1", "first") is None
    assert ports.journal.mark_started(KEY, "c1", "first") is None
    before = ports.journal.mark_started(KEY, "c1", "second")
    assert (before.started_by, before.result) == ("first", None)


def test_a_marked_call_takes_its_result(ports: Any) -> None:
    ports.journal.mark_started(KEY, "c1", "first")
    ports.journal.put_result(KEY, ToolResult(call="c1", tool="t", content=1))
    item = ports.journal.load(KEY).calls["c1"]
    assert item.started_by == "first"
    assert item.result.content == 1
    assert ports.journal.mark_started(KEY, "c1", "first").result.content == 1


def test_a_page_brings_the_results_that_it_refers_to(ports: Any) -> None:
    ports.journal.append(KEY, 1, a_created())
    ports.journal.put_result(KEY, ToolResult(call="c1", tool="t", content=1))
    ports.journal.append(KEY, 2, Results(at=AT, writer="w", turn=1, outcomes=(CallOutcome(call="c1"),)))
    assert ports.journal.read(KEY, 2, 1).calls["c1"].result.content == 1
