"""How runs end: undone, cancelled, out of time, out of money, settled twice."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.errors import Conflict
from stepward.domain.task_records import WorkflowStatus
from stepward.ports.workflow_runs import WorkflowEnd
from stepward.workflows.runs.end_run import EndRun
from stepward.workflows.runs.finalize import FinalizeRun, RunFailed
from tests.support.workflow_doubles import nobody
from tests.support.workflow_world import ACME, Died, WorkflowWorld


def step(name: str, *needs: str, undo: Any = None, **more: Any) -> dict[str, Any]:
    """A task that is undone by an event."""
    own = {"id": "undo", "type": "event", "event": f"undo.{name}", "with": undo or {}}
    return {"id": name, "type": "transform", "output": name, "needs": needs, "compensate": own, **more}


def bad(*needs: str, **more: Any) -> dict[str, Any]:
    return {"id": "bad", "type": "transform", "output": "{% $error('no') %}", "needs": needs, **more}


def undone(world: WorkflowWorld) -> list[str]:
    return [name.removeprefix("undo.") for name, _, _ in world.events]


def timed() -> WorkflowWorld:
    return WorkflowWorld(duration_s=lambda path, at: 1.0)


def test_a_failed_run_is_undone_in_reverse() -> None:
    world = timed()
    ran = world.run([step("a"), step("b", "a"), step("c", "b"), bad("c")])
    assert (ran.status, undone(world)) == ("FAILED", ["c", "b", "a"])
    assert ran.statuses["b~undone"] == "COMPLETED"
    assert ran.head.totals.tasks == 4


def test_what_did_not_complete_is_not_undone() -> None:
    world = timed()
    world.run(
        [
            step("a", when="{% false %}"),
            step("b"),
            {**step("c"), "output": "{% $error('no') %}", "on_error": "continue"},
            bad("b"),
        ]
    )
    assert undone(world) == ["b"]


@pytest.mark.parametrize("said", [{}, {"allow_partial": True}])
def test_a_run_that_did_not_fail_is_not_undone(said: dict[str, Any]) -> None:
    world = timed()
    more = [bad()] if said else []
    ran = world.run([step("a"), step("b"), *more], **said)
    assert (ran.status == "FAILED", undone(world)) == (False, [])


def test_what_undoes_a_task_knows_what_it_brought() -> None:
    world = timed()
    undo = {"own": "{% $tasks.a %}", "given": "{% $input %}", "before": "{% $tasks.first %}"}
    first = {"id": "first", "type": "transform", "output": 1}
    world.run([first, step("a", "first", undo=undo), bad("a")], 5)
    assert world.events[0][2] == {"own": "a", "given": 5, "before": 1}


def test_what_cannot_be_undone_does_not_keep_the_others() -> None:
    world = timed()
    ran = world.run([step("a"), step("b", "a", undo={"x": "{% $error('no') %}"}), bad("b")])
    assert undone(world) == ["a"]
    assert (ran.statuses["b~undone"], ran.statuses["a~undone"]) == ("FAILED", "COMPLETED")
    assert ran.head.error is not None
    assert ran.head.error.detail.startswith("bad: ")


def test_every_round_is_undone() -> None:
    world = timed()
    each = {
        "id": "each",
        "type": "foreach",
        "items": [1, 2],
        "tasks": [step("x", undo={"item": "{% $item %}"})],
    }
    world.run([each, bad("each")])
    assert sorted(detail["item"] for _, _, detail in world.events) == [1, 2]


def test_a_second_settling_undoes_nothing_again() -> None:
    world = timed()
    room, left = world.room, [None]

    def mortal(request: Any) -> Any:
        if request.step == "settle" and left:
            left.pop()
            with pytest.raises(RunFailed):
                room(request)
            raise Died
        return room(request)

    world.room = mortal  # type: ignore[method-assign]
    ran = world.run([step("a"), step("b", "a"), bad("b")])
    assert (ran.status, undone(world)) == ("FAILED", ["b", "a"])
    assert [end.status for _, end, _ in world.told] == [WorkflowStatus.FAILED] * 2


def test_a_settling_that_died_half_way_goes_on() -> None:
    world = timed()
    keep, seen = world.store.keep, []

    def dies(*said: Any) -> Any:
        if said[2].endswith("~undone"):
            seen.append(said[2])
            if len(seen) == 2:
                raise Died
        return keep(*said)

    world.store.keep = dies  # type: ignore[method-assign]
    ran = world.run([step("a"), step("b", "a"), bad("b")])
    assert (ran.status, undone(world)) == ("FAILED", ["b", "a", "a"])
    assert {one for one in ran.statuses if "~" in one} == {"a~undone", "b~undone"}


def test_a_cancelled_run_begins_nothing_more() -> None:
    world = timed()
    world.register([step("a"), step("b", "a"), step("c", "b")])
    key = world.start()
    world.loop.later(1.5, lambda: world.cancel(key))
    ran = world.finish(key)
    world.loop.run()
    assert (ran.status, ran.execution.status) == ("CANCELLED", "ABORTED")
    assert world.store.full_snapshot(key).records.keys() == ran.looked.records.keys()
    assert set(ran.statuses) == {"a"}
    assert undone(world) == []


def test_a_cancel_ends_what_was_set_going() -> None:
    world = WorkflowWorld()
    world.reach.answers |= {"ask": nobody, "may": nobody}
    world.register([{"id": "may", "type": "human", "question": "?", "timeout_s": 60}], id="other")
    world.register([
        {"id": "ask", "type": "agent", "agent": "helper"}, {"id": "sub", "type": "subworkflow", "workflow": "other"},
    ])  # fmt: skip
    key = world.start()
    world.loop.run(until=lambda: len(world.reach.questions) == 1)
    world.cancel(key)
    world.cancel(key)
    statuses = {head.workflow: head.status for head in world.runs.heads.values()}
    assert statuses == {"flow": WorkflowStatus.CANCELLED, "other": WorkflowStatus.CANCELLED}
    assert set(world.reach.cancelled) >= set(world.reach.agents)


def test_a_run_that_has_ended_is_not_cancelled() -> None:
    world = timed()
    ran = world.run([step("a")])
    with pytest.raises(Conflict):
        world.cancel(ran.key)


def test_a_cancel_while_it_settles_has_one_end() -> None:
    for seed in range(20):
        world = WorkflowWorld(seed)
        world.register([step("a"), bad("a")])
        key = world.start()
        world.loop.later(0, lambda world=world, key=key: _cancel_if_open(world, key))
        world.loop.run()
        head = world.runs.head(key)
        assert head is not None
        assert head.ended
        assert len({end.status for _, end, _ in world.told}) == 1


def _cancel_if_open(world: WorkflowWorld, key: Any) -> None:
    head = world.runs.head(key)
    if head and not head.ended:
        world.cancel(key)


def test_a_workflow_has_its_own_time() -> None:
    world = WorkflowWorld()
    world.register([{"id": "rest", "type": "wait", "seconds": 1_000}], timeout_s=100)
    execution = world.execution(world.start())
    world.loop.run(until=lambda: execution.status != "RUNNING")
    assert (execution.status, world.loop.now_s) == ("TIMED_OUT", 100)


def test_a_settled_run_tells_its_end_again() -> None:
    world = timed()
    ran = world.run([step("a")])
    FinalizeRun(world.ports, world.world(ran.key), world._tell)(ran.key, None)
    assert [(end.status, output) for _, end, output in world.told] == [(WorkflowStatus.COMPLETED, "a")] * 2


def test_the_same_start_is_one_execution() -> None:
    world = timed()
    world.register([step("a")])
    key = world.start()
    head = world.runs.head(key)
    assert head is not None
    world.machines.start(head)
    assert world.finish(key).entered == ["a", "settle run"]
    assert isinstance(world.told[0][1], WorkflowEnd)
    assert world.told[0][0].principal == ACME.principal


def test_a_run_whose_time_is_over_says_how_long_it_had() -> None:
    world = WorkflowWorld()
    world.register(
        [{"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 60}], timeout_s=3_600
    )
    key = world.start()
    end = EndRun(world.ports, lambda head, end, output: None, world.reach.cancel_agent)
    assert end.close(key, "States.Timeout", "the execution ended as TIMED_OUT: no cause given") == "FAILED"
    head = world.runs.head(key)
    assert head is not None
    assert head.error is not None
    assert head.error.detail == "the run took longer than its `timeout_s` of 3,600 s."
