"""An execution that has handed its run over says nothing that counts any more, and its end is not the run's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepward.agents.reconcile import CloseRun, ReconcileRuns
from stepward.domain.errors import StoreConflict, StoreThrottled
from stepward.domain.execution_events import ExecutionEnd
from stepward.domain.runs import RunKey, epoch_of
from tests.support.driver import World
from tests.unit.agents.long_runs import a_world, up_to_the_change


def late(key: RunKey, **said: Any) -> dict[str, Any]:
    return {"execution": f"{key.run}.1", **said}


def test_an_old_execution_only_sees_to_it_that_the_new_one_runs() -> None:
    world = a_world()
    key = up_to_the_change(world)
    before = world.kinds(key)
    world.machine.started.clear()
    assert world.advance(key, **late(key, spent=99)).next == "done"
    assert world.advance(key, **late(key, error="Lambda.Unknown")).next == "done"
    assert list(world.machine.started) == [f"{key.run}.2"]
    assert world.kinds(key) == before


def test_a_machine_that_does_not_say_who_it_is_is_the_first() -> None:
    world = a_world()
    key = up_to_the_change(world)
    assert world.advance(key, execution=None).next == "done"
    assert world.finish(key)["status"] == "COMPLETED"
    assert [epoch_of(name) for name in ("run_1.7", "run_1", "5e1c-42", "by.hand")] == [7, 1, 1, 1]


def test_a_start_that_fails_is_made_by_the_retry() -> None:
    world = a_world()
    world.machine.start, start = _busy, world.machine.start  # type: ignore[method-assign]
    with pytest.raises(StoreThrottled):
        world.start()
    (key,) = world.runtime.heads
    with pytest.raises(StoreThrottled):
        world.finish(key)
    assert world.runtime.heads[key].epoch == 2
    world.machine.start = start  # type: ignore[method-assign]
    assert world.advance(key, **late(key, spent=99)).next == "done"
    assert list(world.machine.started) == [f"{key.run}.2"]


def _busy(*_: Any) -> None:
    raise StoreThrottled("slower, please")


def test_the_janitor_starts_an_execution_that_nobody_has_started() -> None:
    world = a_world()
    key = up_to_the_change(world)
    world.machine.started.clear()
    world.clock.forward(31)
    stale = world.runtime.heads[key].model_copy(update={"epoch": 1})
    world.runtime.open_runs, listed = (lambda *_: [stale]), world.runtime.open_runs  # type: ignore[method-assign]
    assert ReconcileRuns(world.ports)()["started"] == 1
    assert list(world.machine.started) == [f"{key.run}.2"]
    world.runtime.open_runs = listed  # type: ignore[method-assign]
    assert world.finish(key)["status"] == "COMPLETED"


def test_the_janitor_does_not_take_an_old_execution_for_the_run() -> None:
    world = a_world()
    key = up_to_the_change(world)
    world.advance(key, spent=7)
    world.machine.stop(f"{key.run}.1", "over", "over")
    world.clock.forward(1_000_000)
    stale = world.runtime.heads[key].model_copy(update={"epoch": 1})
    world.runtime.open_runs, listed = (lambda *_: [stale]), world.runtime.open_runs  # type: ignore[method-assign]
    assert ReconcileRuns(world.ports)()["left"] == 1
    world.runtime.open_runs = listed  # type: ignore[method-assign]
    world.machine.stop(f"{key.run}.2", "gone", "gone")
    assert ReconcileRuns(world.ports)()["closed"] == 1
    assert world.show(key)["error"]["code"] == "DeadlineExceeded"


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_the_end_of_an_old_execution_is_not_the_runs(status: str) -> None:
    world = a_world()
    key = up_to_the_change(world)
    assert close(world, key, status, 1) == "goes on"
    assert world.finish(key)["status"] == "COMPLETED"
    assert close(world, key, status, 1) == "COMPLETED"


def test_the_end_of_the_newest_execution_is_the_runs() -> None:
    world = a_world()
    key = up_to_the_change(world)
    assert close(world, key, "ABORTED", 2) == "FAILED"
    assert world.advance(key).next == "done"


def test_an_end_that_comes_before_the_change_forbids_it() -> None:
    world = a_world()
    key = world.start()
    answer = world.advance(key, spent=7)
    for call in answer.calls or []:
        world.call(key, answer, call)
    change = world.runtime.begin_epoch

    def after_the_event(*said: Any) -> None:
        close(world, key, "FAILED", 1)
        change(*said)

    world.runtime.begin_epoch = after_the_event  # type: ignore[method-assign]
    said = {"called": answer.seq, "asked": answer.calls, "spent": 99}
    with pytest.raises(StoreConflict):
        world.advance(key, **said)
    assert world.advance(key, **said).next == "done"
    assert (world.show(key)["status"], list(world.machine.started)) == ("FAILED", [f"{key.run}.1"])


def close(world: World, key: RunKey, status: str, epoch: int) -> str:
    given = json.dumps({"v": 1, "tenant": key.tenant, "run": key.run})
    event = {"detail": {"status": status, "input": given, "name": f"{key.run}.{epoch}"}}
    ended = ExecutionEnd.of(event)
    return CloseRun(world.ports)(ended.key, ended.error, ended.detail, ended.epoch)


def test_a_cancel_stops_the_execution_that_carries_the_run() -> None:
    world = a_world()
    key = up_to_the_change(world)
    world.cancel(key)
    assert list(world.machine.stopped) == [f"{key.run}.2"]
    for execution in (f"{key.run}.1", f"{key.run}.2"):
        assert world.advance(key, execution=execution).next == "done"
    assert world.show(key)["status"] == "CANCELLED"
    assert world.run_queue.slots == {}


def test_a_cancel_between_change_and_start_leaves_nothing_running() -> None:
    world = a_world()
    start = world.machine.start

    def after_the_cancel(name: str, key: RunKey) -> None:
        if name.endswith(".2"):
            world.cancel(key)
        start(name, key)

    world.machine.start = after_the_cancel  # type: ignore[method-assign]
    key = world.start()
    assert world.finish(key)["status"] == "CANCELLED"
    assert world.advance(key).next == "done"
