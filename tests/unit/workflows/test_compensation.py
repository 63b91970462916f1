"""How a run is undone whose own execution is over: in one of its own, by one at a time, as often as it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stepward.domain.errors import TaskFailed
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskStatus
from stepward.ports.tasks import RunSnapshot
from stepward.workflows.program.limits import MOST_COMPENSATIONS
from stepward.workflows.runs.compensation import CLAIM_DURATION, COMPENSATION_CLAIM
from stepward.workflows.runs.end_run import BEING_COMPENSATED, EndRun
from stepward.workflows.runs.finalize import FinalizeRun
from stepward.workflows.runs.reconcile import ReconcileWorkflows
from stepward.workflows.services.views import ShowWorkflows
from tests.support.asl_engine import Execution
from tests.support.workflow_doubles import nobody
from tests.support.workflow_world import ACME, Died, WorkflowWorld

REST = {"id": "rest", "type": "wait", "seconds": 1_000}
AFTER_A = {**REST, "needs": ["a"]}


def step(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    """A task that is undone by an event."""
    own = {"id": "undo", "type": "event", "event": f"undo.{name}", "with": {"own": f"{{% $tasks.{name} %}}"}}
    return {"id": name, "type": "transform", "output": name, "needs": needs, "compensate": own, **more}


def late(world: WorkflowWorld, tasks: list[dict[str, Any]], **said: Any) -> RunKey:
    """A run whose time has just been over."""
    world.register(tasks, **{"timeout_s": 100, **said})
    key = world.start()
    execution = world.execution(key)
    world.loop.run(until=lambda: execution.status != "RUNNING")
    assert execution.status == "TIMED_OUT"
    return key


def timed() -> WorkflowWorld:
    return WorkflowWorld(duration_s=lambda path, at: 1.0)


def undone(world: WorkflowWorld) -> list[str]:
    return [name.removeprefix("undo.") for name, _, _ in world.events]


def undoings(world: WorkflowWorld) -> dict[str, Execution]:
    return {name.split(".")[-1]: one for name, one in world.engine.executions.items() if name.count(".") == 2}


def end(world: WorkflowWorld) -> EndRun:
    return EndRun(world.ports, world._tell, world.reach.cancel_agent)


def sweep(world: WorkflowWorld) -> int:
    return ReconcileWorkflows(world.ports, end(world))()["workflows_closed"]


def told(world: WorkflowWorld, key: RunKey) -> tuple[str, str | None]:
    head = world.runs.head(key)
    assert head is not None
    return head.status.value, head.error.code if head.error else None


OUT_OF_TIME = ("FAILED", "States.Timeout")


def test_a_run_whose_time_is_over_is_undone_in_reverse() -> None:
    world = timed()
    key = late(world, [step("a"), step("b", "a"), {**REST, "needs": ["b"]}])
    assert world.close(key) == BEING_COMPENSATED
    world.loop.run()
    assert (told(world, key), undone(world)) == (OUT_OF_TIME, ["b", "a"])
    assert [one.state for one in undoings(world)["undo1"].entered] == ["a", "settle run"]
    assert [(one.status.value, one.error and one.error.detail) for _, one, _ in world.told] == [
        ("FAILED", "the run took longer than its `timeout_s` of 100 s.")
    ]
    assert world.store.full_snapshot(key).records.keys() & {COMPENSATION_CLAIM} == set()


CALL = {"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 60, "needs": ["a"]}
EACH = {"id": "each", "type": "foreach", "items": [1, 2]}
AGAIN = {"id": "again", "type": "loop", "until": "{% false %}", "max_iterations": 9}
GRAPHS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "beside": ([step("a"), step("b"), REST, step("c", "a", "b", "rest")], {}),
    "steps": ([{**step("a"), "next": [{"to": "rest"}]}, REST], {"start": "a"}),
    "rounds": ([{**EACH, "tasks": [step("a")]}, {**REST, "needs": ["each"]}], {}),
    "chunks": ([{**EACH, "chunk_size": 1, "tasks": [step("a"), CALL]}], {"timeout_s": 90}),
    "loop": ([{**AGAIN, "tasks": [step("a"), AFTER_A]}], {}),
    "agent": ([{"id": "a", "type": "agent", "agent": "helper", "compensate": step("a")["compensate"]}, AFTER_A], {}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_whatever_a_run_begins_with_its_undoing_comes_to_the_end(name: str) -> None:
    tasks, said = GRAPHS[name]
    world = timed()
    world.reach.answers["each.call"] = nobody
    world.register(tasks, **{"timeout_s": 100, **said})
    key = world.start()
    world.loop.later(50, lambda: world.execution(key).stop("TIMED_OUT"))
    world.loop.run(until=lambda: world.execution(key).status != "RUNNING")
    well = [task for task, one in world.store.full_snapshot(key).records.items() if one.is_well]
    assert world.close(key) == BEING_COMPENSATED
    world.loop.run(until=lambda: undoings(world)["undo1"].status != "RUNNING")
    assert told(world, key) == OUT_OF_TIME
    records = world.store.full_snapshot(key).records
    mine = [task for task in records if task.is_undone]
    assert {task.at for task in mine if task.path.endswith("a~undone")} == {
        task.at for task in well if task.path.endswith("a")
    }
    assert all(records[task].status is TaskStatus.COMPLETED for task in mine)
    assert len(undone(world)) == len(mine) > 0
    running = [one.name for one in world.engine.executions.values() if one.status == "RUNNING"]
    assert running == []


def test_the_same_event_again_and_a_sweep_are_one_undoing() -> None:
    world = timed()
    key = late(world, [step("a"), AFTER_A])
    assert [world.close(key), world.close(key), sweep(world)] == [BEING_COMPENSATED, BEING_COMPENSATED, 0]
    world.loop.run()
    assert world.close(key) == "FAILED"
    assert (told(world, key), undone(world), list(undoings(world))) == (OUT_OF_TIME, ["a"], ["undo1"])


@pytest.mark.parametrize("tasks", [[REST], [step("a", "rest"), REST]])
def test_where_nothing_is_to_be_undone_the_end_comes_at_once(tasks: list[dict[str, Any]]) -> None:
    world = timed()
    key = late(world, tasks)
    assert world.close(key) == "FAILED"
    assert (told(world, key), undoings(world)) == (OUT_OF_TIME, {})
    assert COMPENSATION_CLAIM not in world.store.full_snapshot(key).begun


def test_a_start_that_did_not_come_to_be_is_made_up_for() -> None:
    world = timed()
    key = late(world, [step("a"), AFTER_A])
    start = world.machines.start

    def dies(*said: Any, **more: Any) -> None:
        raise Died

    world.machines.start = dies  # type: ignore[method-assign]
    with pytest.raises(Died):
        world.close(key)
    world.machines.start = start  # type: ignore[method-assign]
    sweep(world)
    world.loop.run()
    assert (told(world, key), undone(world), list(undoings(world))) == (OUT_OF_TIME, ["a"], ["undo1"])


def test_an_undoing_that_died_is_taken_up_by_the_next_which_does_the_rest() -> None:
    world = timed()
    key = late(world, [step("a"), step("b", "a"), {**REST, "needs": ["b"]}])
    world.close(key)
    put = world._put_event

    def dies(name: str, call_id: str, detail: dict[str, Any]) -> None:
        if name == "undo.a":
            raise Died
        put(name, call_id, detail)

    world._put_event = dies  # type: ignore[method-assign]
    world.loop.run()
    assert (undone(world), undoings(world)["undo1"].status) == (["b"], "FAILED")
    world._put_event = put  # type: ignore[method-assign]
    assert [world.close(key), list(undoings(world))] == [BEING_COMPENSATED, ["undo1"]]
    world.loop.now_s += CLAIM_DURATION.total_seconds() + 1
    assert sweep(world) == 0
    world.loop.run()
    assert (told(world, key), undone(world)) == (OUT_OF_TIME, ["b", "a"])
    assert list(undoings(world)) == ["undo1", "undo2"]


def test_a_run_that_cannot_be_undone_comes_to_its_end_all_the_same() -> None:
    world = timed()
    key = late(world, [step("a"), AFTER_A])

    def dies(*said: Any) -> None:
        raise Died

    world._put_event = dies  # type: ignore[method-assign]
    for _ in range(MOST_COMPENSATIONS):
        assert world.close(key) == BEING_COMPENSATED
        world.loop.run()
        world.loop.now_s += CLAIM_DURATION.total_seconds() + 1
    assert (sweep(world), told(world, key)) == (1, OUT_OF_TIME)
    assert len(undoings(world)) == MOST_COMPENSATIONS


def test_a_settling_that_undoes_when_the_time_is_over_is_left_to_it() -> None:
    world = timed()
    bad = {"id": "bad", "type": "transform", "output": "{% $error('no') %}", "needs": ["b"]}
    seen = []
    put = world._put_event

    def meanwhile(name: str, call_id: str, detail: dict[str, Any]) -> None:
        world.execution(key).stop("TIMED_OUT")
        seen.append(world.close(key))
        put(name, call_id, detail)

    world._put_event = meanwhile  # type: ignore[method-assign]
    world.register([step("a"), step("b", "a"), bad])
    key = world.start()
    world.loop.run()
    assert (seen, undone(world), undoings(world)) == ([BEING_COMPENSATED] * 2, ["b", "a"], {})
    assert told(world, key) == ("FAILED", "OutputMalformed")


@pytest.mark.parametrize("failure", [None, {"Error": "TaskFailed", "Cause": ""}])
def test_a_settling_that_comes_after_the_undoing_was_begun_ends_nothing(failure: Any) -> None:
    world = timed()
    key = late(world, [step("a"), AFTER_A])
    world.close(key)
    with pytest.raises(TaskFailed):
        FinalizeRun(world.ports, world.world(key), world._tell)(key, failure)
    assert (world.told, undone(world)) == ([], [])
    world.loop.run()
    assert (told(world, key), undone(world)) == (OUT_OF_TIME, ["a"])


def test_an_undoing_that_took_too_long_stops_before_the_next_task() -> None:
    world = timed()
    rest = {**REST, "needs": ["b"], "seconds": 20_000}
    key = late(world, [step("a"), step("b", "a"), rest], timeout_s=10_000)
    world.close(key)
    put = world._put_event

    def slow(name: str, call_id: str, detail: dict[str, Any]) -> None:
        put(name, call_id, detail)
        world._put_event = put  # type: ignore[method-assign]
        world.loop.now_s += CLAIM_DURATION.total_seconds() + 1
        world.close(key)

    world._put_event = slow  # type: ignore[method-assign]
    world.loop.run()
    assert (told(world, key), undone(world)) == (OUT_OF_TIME, ["b", "a"])
    settled = [
        (one.run.undo.name, one.tries) for _, one in world.requests if one.step == "settle" and one.run.undo
    ]
    assert settled == [("undo1", 0), ("undo2", 0), ("undo1", 1)]


def test_what_completes_while_a_run_is_undone_is_undone_too() -> None:
    world = timed()
    key = late(world, [step("a"), step("b"), AFTER_A])
    everything, put, is_known = world.store.full_snapshot, world._put_event, []

    def found(which: RunKey) -> RunSnapshot:
        looked = everything(which)
        known = {task: one for task, one in looked.records.items() if task.path != "b" or is_known}
        return replace(looked, records=known)

    def comes(name: str, call_id: str, detail: dict[str, Any]) -> None:
        is_known.append(True)
        put(name, call_id, detail)

    world.store.full_snapshot = found  # type: ignore[method-assign]
    world._put_event = comes  # type: ignore[method-assign]
    world.close(key)
    world.loop.run()
    assert (told(world, key), undone(world)) == (OUT_OF_TIME, ["a", "b"])


def test_children_end_before_what_waits_for_them_is_undone() -> None:
    world = WorkflowWorld()
    world.reach.answers["ask"] = nobody
    ask = {"id": "ask", "type": "agent", "agent": "helper", "needs": ["a"]}
    key = late(world, [step("a"), ask])
    world.close(key)
    assert world.reach.cancelled == list(world.reach.agents)
    world.loop.run()
    assert (told(world, key), undone(world)) == (OUT_OF_TIME, ["a"])


def test_a_cancel_is_not_undone_and_an_undoing_that_is_cancelled_ends_as_cancelled() -> None:
    world = timed()
    key = late(world, [step("a"), AFTER_A])
    world.close(key)
    world.cancel(key)
    world.loop.run()
    assert (told(world, key), undone(world)) == (("CANCELLED", "RunCancelled"), [])
    assert {one.status.value for _, one, _ in world.told} == {"CANCELLED"}


def test_who_undoes_is_nobody_s_task() -> None:
    world = timed()
    key = late(world, [step("a"), AFTER_A])
    world.close(key)
    world.loop.run()
    shown = ShowWorkflows(world.registry, world.ports).run(ACME.tenant, key.run)
    assert [one["task"] for one in shown["tasks"]] == ["a", "rest", "a~undone"]
    assert shown["totals"]["tasks"] == 1
