"""Words about pausing against everybody else at the run: dispatch, cancel, other words, deaths."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.reconcile import ReconcileRuns
from stepward.agents.run_control import ORPHANED, EndOrphans
from stepward.domain.errors import Conflict, DependencyTimeout
from stepward.domain.run_queue import QueuedRun
from stepward.domain.runs import RunKey
from tests.support.builders import an_agent_body
from tests.support.driver import World
from tests.unit.agents.test_pause import ASKS, a_world, pause, resume
from tests.unit.agents.test_races import a_parent_of


@pytest.fixture
def world() -> World:
    return a_world()


def test_a_resume_before_the_machine_waits_is_found_when_it_does(world: World) -> None:
    key = world.start()
    pause(world, key)
    answer = world.advance(key)
    resume(world, key)
    assert world.machine.answered == []
    token = world.wait(key, answer, "resume")
    assert world.machine.answered == [token]
    assert world.finish(key)["status"] == "COMPLETED"


def test_a_resume_before_the_run_has_parked_lets_it_go_on(world: World) -> None:
    key = world.start()
    pause(world, key)
    park = world.runtime.park

    def resumed_first(*said: Any) -> Any:
        world.runtime.park = park  # type: ignore[method-assign]
        resume(world, key)
        return world.runtime.park(*said)

    world.runtime.park = resumed_first  # type: ignore[method-assign]
    answer = world.advance(key)
    assert world.wait(key, answer, "resume") in world.machine.answered
    assert world.finish(key)["status"] == "COMPLETED"


@pytest.mark.parametrize("resumes", [False, True])
def test_who_serves_the_line_by_an_old_look_takes_nobody_else_out_of_it(resumes: bool) -> None:
    world = a_world(active=1)
    first, second = world.start(), world.start()
    world.finish(first)
    seen = world.run_queue.first("acme", 10)
    pause(world, second)
    if resumes:
        resume(world, second)
    looks = [seen]
    look = world.run_queue.first
    world.run_queue.first = lambda *said: looks.pop() if looks else look(*said)  # type: ignore[method-assign]
    world.serve()
    assert list(world.run_queue.slots) == ([second] if resumes else [])
    assert world.show(second)["paused"] is not resumes
    if not resumes:
        resume(world, second)
        world.serve()
    assert world.finish(second)["status"] == "COMPLETED"


def test_who_ends_while_the_line_is_served_is_taken_out_of_it_as_it_was_seen() -> None:
    """Its journal goes on before each of two tries to admit it, and whoever writes the end dies over the head."""
    world = a_world(active=1)
    first, second = world.start(), world.start()
    world.finish(first)
    admit, tried = world.runtime.admit, []

    def too_late(waiting: QueuedRun, *said: Any) -> Any:
        tried.append(waiting.seq)
        if len(tried) == 1:
            world.cancel_in_journal(second)
        else:
            _end_in_journal(world, second)
        return admit(waiting, *said)

    world.runtime.admit = too_late  # type: ignore[method-assign]
    assert world.serve() == 0
    assert tried == [1, 2]
    assert (world.run_queue.positions, world.run_queue.slots) == ({}, {})


def _dies(*_: Any) -> Any:
    raise DependencyTimeout("no answer")


def _end_in_journal(world: World, key: RunKey) -> None:
    close, world.runtime.close = world.runtime.close, _dies  # type: ignore[method-assign]
    with pytest.raises(DependencyTimeout):
        world.end_unseen(key)
    world.runtime.close = close  # type: ignore[method-assign]


def test_of_two_who_pause_at_once_one_is_told_of_the_other(world: World) -> None:
    key = world.start()
    hold = world.runtime.hold

    def another_first(*said: Any) -> None:
        world.runtime.hold = hold  # type: ignore[method-assign]
        pause(world, key, "zoe")
        world.runtime.hold(*said)

    world.runtime.hold = another_first  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="paused already, by zoe"):
        pause(world, key)
    assert world.kinds(key).count("pause") == 1


def test_a_pause_that_a_cancel_overtakes_is_refused(world: World) -> None:
    key = world.start()
    hold = world.runtime.hold

    def cancel_first(*said: Any) -> None:
        world.runtime.hold = hold  # type: ignore[method-assign]
        world.cancel(key)
        world.runtime.hold(*said)

    world.runtime.hold = cancel_first  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="has ended as CANCELLED"):
        pause(world, key)
    assert "pause" not in world.kinds(key)
    assert world.show(key)["paused"] is False


def test_the_janitor_wakes_a_run_whose_resumer_died(world: World) -> None:
    key = world.start()
    pause(world, key)
    token = world.wait(key, world.advance(key), "resume")
    wake, world.machine.answer = world.machine.answer, lambda _: False  # type: ignore[method-assign]
    resume(world, key)
    world.machine.answer = wake  # type: ignore[method-assign]
    world.clock.forward(31)
    ReconcileRuns(world.ports)()
    assert world.machine.answered == [token]


def test_the_janitor_starts_a_run_that_was_paused_before_its_machine_came(world: World) -> None:
    start, world.machine.start = world.machine.start, lambda *_: None  # type: ignore[method-assign]
    key = world.start()
    world.machine.start = start  # type: ignore[method-assign]
    pause(world, key)
    world.clock.forward(31)
    assert ReconcileRuns(world.ports)()["started"] == 1
    assert list(world.machine.started) == [f"{key.run}.1"]


def test_an_advance_that_comes_twice_takes_no_slot_from_those_who_are_to_answer() -> None:
    world = a_world(active=1)
    world.register(
        an_agent_body(id="asker", tools=[{"agent": "helper", "name": "ask_child"}], rehearsal=ASKS)
    )
    key = world.start("asker")
    answer = world.advance(key)
    before = world.kinds(key)
    assert world.advance(key) == answer
    assert (world.kinds(key), world.run_queue.slots) == (before, {})
    world.wait(key, answer, "call_1_1")
    child = world.journal.call(key, "call_1_1")
    assert child is not None
    assert world.finish(RunKey(tenant="acme", run=str(child.started_by)))["status"] == "COMPLETED"
    assert world.advance(key, awaited=answer.seq).next == "done"
    assert world.show(key)["output"] == "Well."


@pytest.mark.parametrize("dies", [False, True])
def test_a_paused_run_is_woken_when_nobody_waits_for_it_any_more(world: World, dies: bool) -> None:
    key = world.start()
    pause(world, key)
    token = world.wait(key, world.advance(key), "resume")
    if dies:
        world.runtime.close = _dies  # type: ignore[method-assign]
        with pytest.raises(DependencyTimeout):
            EndOrphans(world.ports)(key.tenant, a_parent_of(key), ORPHANED)
    else:
        EndOrphans(world.ports)(key.tenant, a_parent_of(key), ORPHANED)
    assert world.machine.answered == [token]


def test_a_run_that_is_paused_beside_its_answers_is_woken_too(world: World) -> None:
    world.register(
        an_agent_body(id="asker", tools=[{"agent": "helper", "name": "ask_child"}], rehearsal=ASKS)
    )
    key = world.start("asker")
    answer = world.advance(key)
    world.wait(key, answer, "call_1_1")
    pause(world, key)
    child = world.journal.call(key, "call_1_1")
    assert child is not None
    world.finish(RunKey(tenant="acme", run=str(child.started_by)))
    token = world.wait(key, world.advance(key, awaited=answer.seq), "resume")
    EndOrphans(world.ports)(key.tenant, a_parent_of(key), ORPHANED)
    assert token in world.machine.answered


def test_the_janitor_wakes_an_orphan_whose_end_was_written_by_somebody_who_died(world: World) -> None:
    key = world.start()
    pause(world, key)
    token = world.wait(key, world.advance(key), "resume")
    wake, world.machine.answer = world.machine.answer, _dies  # type: ignore[method-assign]
    with pytest.raises(DependencyTimeout):
        EndOrphans(world.ports)(key.tenant, a_parent_of(key), ORPHANED)
    world.machine.answer = wake  # type: ignore[method-assign]
    world.clock.forward(31)
    assert ReconcileRuns(world.ports)()["closed"] == 1
    assert world.machine.answered == [token]
