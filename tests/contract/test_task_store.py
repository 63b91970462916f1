"""What every store of tasks' records promises."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.items import run_pk, to_item
from stepward.adapters.aws.task_store import DynamoTaskStore, latch_sk
from stepward.adapters.aws.transactions import transact
from stepward.adapters.memory.task_store import MemoryTaskStore
from stepward.domain.errors import NotFound
from stepward.domain.runs import RunError
from stepward.domain.task_records import TaskKey, TaskRecord, TaskStatus
from stepward.ports.tasks import Begun, Inherited, LatchKey, TaskStore, WorkflowStarted
from tests.support.builders import AT, LATER, a_key

KEY = a_key()
STARTED = WorkflowStarted(
    workflow="review", version="1.0.0", principal="ann", at=AT, deadline_at=LATER, ancestors=("review",)
)
BOTH = LatchKey("0")
Park = Callable[[LatchKey, str, str, list[str]], bool]


def a_record(output: Any = None, **more: Any) -> TaskRecord:
    return TaskRecord(status=TaskStatus.COMPLETED, output=output, started_at=AT, ended_at=AT, **more)


def begun(store: TaskStore) -> TaskStore:
    """Start two runs, of two tenants."""
    for key in (KEY, a_key(tenant="other")):
        if isinstance(store, MemoryTaskStore):
            store.begin_run(key, STARTED, {"n": 1})
        else:
            _start(store, key)
    return store


def _start(store: Any, key: Any) -> None:
    assert transact(store.beginning(key, STARTED, {"n": 1}), "starting") is None


@pytest.fixture
def store(ports: Any) -> TaskStore:
    in_memory = type(ports.journal).__name__.startswith("Memory")
    return begun(MemoryTaskStore() if in_memory else DynamoTaskStore(ports.journal))


@pytest.fixture(params=["machine", "room"])
def park(store: Any, request: pytest.FixtureRequest) -> Park:
    """Write what a machine's await writes, or have the store write it."""
    if isinstance(store, MemoryTaskStore) or request.param == "room":
        return lambda latch, join, token, needs: store.park(KEY, latch, join, token, needs)
    return lambda latch, join, token, needs: _park(store.table, latch, join, token, needs)


def _park(table: str, latch: LatchKey, join: str, token: str, needs: list[str]) -> bool:
    names = {f"#n{index}": f"r:{need}" for index, need in enumerate(needs)}
    database = client("dynamodb")
    try:
        database.update_item(
            TableName=table,
            Key=to_item({"pk": run_pk(KEY), "sk": latch_sk(latch)}),
            UpdateExpression="SET #w = :w",
            ConditionExpression=" OR ".join(f"attribute_not_exists({one})" for one in names),
            ExpressionAttributeNames={"#w": f"w:{join}", **names},
            ExpressionAttributeValues=to_item({":w": token}),
        )
    except database.exceptions.ConditionalCheckFailedException:
        return False
    return True


def test_a_run_is_found_as_it_was_started(store: TaskStore) -> None:
    looked = store.snapshot(KEY, [], [])
    assert looked.started == STARTED
    assert looked.cancelled_by is None
    assert store.given(KEY) == {"n": 1}


def test_a_run_that_was_not_started_is_not_found(store: TaskStore) -> None:
    for read in (lambda: store.snapshot(a_key(9), [BOTH], []), lambda: store.full_snapshot(a_key(9))):
        with pytest.raises(NotFound):
            read()
    with pytest.raises(NotFound):
        store.given(a_key(9))
    with pytest.raises(NotFound):
        store.value(KEY, "nothing")


def test_the_first_record_of_a_task_stays(store: TaskStore) -> None:
    first, second = a_record(1), a_record(2)
    assert store.keep(KEY, BOTH, "a", first)[0] == first
    kept, latch = store.keep(KEY, BOTH, "a", second)
    assert kept == first
    assert latch.records == {"a": first}
    assert latch.settled == {"a"}
    assert store.keep(KEY, BOTH, "b", second)[1].settled == {"a", "b"}


def test_a_record_comes_back_whole(store: TaskStore) -> None:
    output = {"null": None, "list": [None, 1.5, "ä"], "deep": {"none": None}, "empty": {}, "large": 10**20}
    record = a_record(
        output,
        error=RunError(code="ToolFailed", detail="why"),
        fell_back=True,
        attempt=3,
        cost_usd_micros=12,
        child="run_1",
    )
    assert store.keep(KEY, BOTH, "a", record)[0] == record
    looked = store.snapshot(KEY, [BOTH], [])
    assert looked.records == {TaskKey(path="a"): record}


@pytest.mark.parametrize("output", [None, False, 0, "", [], {}, "{% text %}", 1e-9])
def test_outputs_that_are_almost_nothing_come_back(store: TaskStore, output: Any) -> None:
    kept = store.keep(KEY, BOTH, "a", a_record(output))[0]
    assert kept.output == output
    assert type(kept.output) is type(output)


def test_rounds_have_latches_of_their_own(store: TaskStore) -> None:
    rounds = [LatchKey("each.draft", at) for at in ("each[0]", "each[1]", "each[1].again[0]")]
    for number, latch in enumerate(rounds):
        store.keep(KEY, latch, "each.draft", a_record(number))
    looked = store.snapshot(KEY, [*rounds, LatchKey("each.draft")], [])
    assert {task.at: record.output for task, record in looked.records.items()} == {
        "each[0]": 0, "each[1]": 1, "each[1].again[0]": 2
    }  # fmt: skip
    assert store.full_snapshot(KEY).records == looked.records


def test_runs_do_not_see_each_other(store: TaskStore) -> None:
    store.keep(KEY, BOTH, "a", a_record())
    store.begin(KEY, TaskKey(path="a"), Begun(attempt=1, at=AT))
    other = store.full_snapshot(a_key(tenant="other"))
    assert (other.records, other.begun) == ({}, {})


def test_the_first_mark_of_an_attempt_stays(store: TaskStore) -> None:
    task, first = TaskKey(path="each.ask", at="each[2]"), Begun(attempt=1, at=AT, child="run_1")
    assert store.begin(KEY, task, first) == (first, True)
    assert store.begin(KEY, task, first) == (first, True), "the same again is the same write"
    assert store.begin(KEY, task, Begun(attempt=1, at=LATER, child="run_2")) == (first, False)
    second = Begun(attempt=2, at=LATER, due_at=LATER, child="run_3")
    assert store.begin(KEY, task, second) == (second, True)
    assert store.snapshot(KEY, [], [task]).begun == {task: (first, second)}
    assert store.snapshot(KEY, [], [TaskKey(path="each.ask")]).begun == {}


def test_two_who_mark_at_the_same_moment_are_not_each_other(store: TaskStore) -> None:
    task = TaskKey(path="pay")
    first, second = (Begun(attempt=1, at=AT, writer=name) for name in ("one", "two"))
    assert store.begin(KEY, task, first) == (first, True)
    assert store.begin(KEY, task, second) == (first, False)


def test_marks_are_in_the_order_of_attempts(store: TaskStore) -> None:
    task = TaskKey(path="a")
    for attempt in (10, 2, 1):
        store.begin(KEY, task, Begun(attempt=attempt, at=AT))
    assert [mark.attempt for mark in store.full_snapshot(KEY).begun[task]] == [1, 2, 10]


@pytest.mark.parametrize("size", [10, 120_000, 500_000])
def test_values_come_back_and_are_not_among_the_records(store: TaskStore, size: int) -> None:
    store.put_value(KEY, "each~items", ["ä" * size, None, {"n": 1}])
    assert store.value(KEY, "each~items") == ["ä" * size, None, {"n": 1}]
    assert store.full_snapshot(KEY).records == {}


def test_a_value_written_again_is_the_newest(store: TaskStore) -> None:
    store.put_value(KEY, "output", 1)
    store.put_value(KEY, "output", None)
    assert store.value(KEY, "output") is None


def test_the_first_who_cancels_a_run_stays(store: TaskStore) -> None:
    assert store.cancel(KEY, "ann") is True
    assert store.cancel(KEY, "ben") is False
    assert store.snapshot(KEY, [], []).cancelled_by == "ann"
    assert store.full_snapshot(KEY).cancelled_by == "ann"


def test_who_waits_is_seen_by_the_record_that_completes_the_set(store: TaskStore, park: Park) -> None:
    assert store.keep(KEY, BOTH, "a", a_record())[1].waiting == {}
    assert park(BOTH, "c waits", "token-1", ["a", "b"]) is True
    latch = store.keep(KEY, BOTH, "b", a_record())[1]
    assert (latch.waiting, latch.settled) == ({"c waits": "token-1"}, {"a", "b"})


def test_nobody_waits_for_what_is_there(store: TaskStore, park: Park) -> None:
    store.keep(KEY, BOTH, "a", a_record())
    store.notify_latch(KEY, BOTH, "b")
    assert park(BOTH, "c waits", "token-1", ["a", "b"]) is False
    assert store.keep(KEY, BOTH, "a", a_record())[1].waiting == {}


def test_who_waits_again_has_the_newest_token(store: TaskStore, park: Park) -> None:
    park(BOTH, "c waits", "token-1", ["a"])
    park(BOTH, "c waits", "token-2", ["a"])
    assert store.keep(KEY, BOTH, "a", a_record())[1].waiting == {"c waits": "token-2"}


def test_word_of_a_record_elsewhere_settles_and_is_no_record(store: TaskStore) -> None:
    latch = store.notify_latch(KEY, LatchKey("d.join"), "a")
    assert latch == store.notify_latch(KEY, LatchKey("d.join"), "a")
    assert (latch.records, latch.settled) == ({}, {"a"})
    assert store.full_snapshot(KEY).records == {}


def test_many_latches_are_read_at_once(store: TaskStore) -> None:
    latches = [LatchKey(str(number)) for number in range(130)]
    for number in range(0, 130, 10):
        store.keep(KEY, latches[number], f"t{number}", a_record(number))
    looked = store.snapshot(KEY, latches, [TaskKey(path="t0")])
    assert sorted(record.output for record in looked.records.values()) == list(range(0, 130, 10))


def test_of_two_who_keep_at_once_both_see_one(store: TaskStore) -> None:
    kept: list[TaskRecord] = []
    threads = [
        Thread(target=lambda n=n: kept.append(store.keep(KEY, BOTH, "a", a_record(n))[0])) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 4
    assert len({record.output for record in kept}) == 1


def test_what_an_earlier_run_did_is_taken_over_at_once(store: TaskStore) -> None:
    taken = [Inherited(LatchKey("x", f"each[{n}]"), "each.x", a_record("y" * 40_000)) for n in range(120)]
    shared = [
        Inherited(BOTH, "a", a_record(1)),
        Inherited(BOTH, "b", a_record(2)),
        Inherited(BOTH, "c", None),
    ]
    store.inherit(KEY, [*taken, *shared])
    found = store.full_snapshot(KEY).records
    assert len(found) == 122
    assert found[TaskKey(path="each.x", at="each[119]")].output == "y" * 40_000
    _, latch = store.keep(KEY, BOTH, "d", a_record())
    assert latch.settled == {"a", "b", "c", "d"}


def test_what_a_run_has_done_itself_stays(store: TaskStore) -> None:
    store.keep(KEY, BOTH, "a", a_record("own"))
    store.inherit(KEY, [Inherited(BOTH, "a", a_record("old")), Inherited(BOTH, "b", a_record("old"))])
    found = store.full_snapshot(KEY).records
    assert (found[TaskKey(path="a")].output, found[TaskKey(path="b")].output) == ("own", "old")
