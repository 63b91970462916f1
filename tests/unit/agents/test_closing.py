"""Nothing stays open by accident."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepward.adapters.memory.small_ports import MemoryRunMachine
from stepward.agents.reconcile import CloseRun, ReconcileRuns
from stepward.domain.errors import Bug
from stepward.domain.execution_events import ExecutionEnd
from stepward.domain.runs import RunKey
from stepward.ports.run_queue import Freed
from tests.support.builders import an_agent_body
from tests.support.driver import World


def sweep(world: World) -> dict[str, int]:
    return ReconcileRuns(world.ports)()


def closer(world: World) -> CloseRun:
    return CloseRun(world.ports)


def a_started(world: World) -> RunKey:
    world.register(an_agent_body())
    return world.start()


def test_a_run_that_never_began_is_started_again_by_its_name() -> None:
    world = World()
    key = a_started(world)
    world.machine.started.clear()
    assert sweep(world) == {"started": 0, "closed": 0, "left": 0, "nudged": 0}
    world.clock.forward(31)
    assert sweep(world)["started"] == 1
    assert world.machine.started == {f"{key.run}.1": key}


def test_an_end_that_the_head_never_saw_is_settled() -> None:
    world = World()
    key = a_started(world)
    world.runtime.close, close = (lambda *_: Freed(done=False)), world.runtime.close  # type: ignore[method-assign]
    world.advance(key)
    world.runtime.close = close  # type: ignore[method-assign]
    world.clock.forward(31)
    assert sweep(world)["closed"] == 1
    assert (world.show(key)["status"], world.show(key)["output"]) == ("COMPLETED", "Done.")
    assert sweep(world) == {"started": 0, "closed": 0, "left": 0, "nudged": 0}


def test_a_run_that_somebody_carries_is_left_alone() -> None:
    world = World()
    key = a_started(world)
    claim(world, key)
    world.clock.forward(10_000)
    assert sweep(world)["left"] == 1


@pytest.mark.parametrize(("seconds", "code"), [(60, "ExecutionStopped"), (10_000, "DeadlineExceeded")])
def test_a_run_that_nobody_carries_is_closed_in_the_next_round(seconds: int, code: str) -> None:
    world = World()
    key = a_started(world)
    world.clock.forward(100)
    claim(world, key)
    world.machine.stop(f"{key.run}.1", "gone", "and its event was lost")
    assert sweep(world)["left"] == 1
    world.clock.forward(seconds)
    assert sweep(world)["closed"] == 1
    assert world.show(key)["error"]["code"] == code


class PickyMachine(MemoryRunMachine):
    """Starts what it likes."""

    disliked: tuple[str, ...] = ()

    def start(self, execution_name: str, key: RunKey) -> None:
        if key.run in self.disliked:
            raise Bug(f"{key.run} cannot be started.")
        super().start(execution_name, key)


def test_a_run_that_cannot_be_mended_keeps_no_other_open() -> None:
    machine = PickyMachine()
    world = World(machine=machine)
    first, second, third = a_started(world), world.start(), world.start()
    machine.started.clear()
    machine.disliked = (first.run, second.run)
    world.clock.forward(31)
    with pytest.raises(Bug, match=first.run) as told:
        sweep(world)
    assert told.value.__notes__ == [f"and Bug: {second.run} cannot be started."]
    assert list(machine.started.values()) == [third]


def claim(world: World, key: RunKey) -> None:
    from stepward.agents.journal_writer import RunWriter
    from stepward.domain.journal import Claimed

    writer = RunWriter.open(world.ports, key, "somebody")
    writer.append(writer.make(Claimed))


def an_event(key: RunKey, status: str, **more: Any) -> dict[str, Any]:
    given = json.dumps({"v": 1, "tenant": key.tenant, "run": key.run})
    return {"source": "aws.states", "detail": {"name": key.run, "status": status, "input": given, **more}}


def close(world: World, event: dict[str, Any]) -> str:
    ended = ExecutionEnd.of(event)
    return closer(world)(ended.key, ended.error, ended.detail)


def test_a_failed_execution_closes_its_run_with_its_error() -> None:
    world = World()
    key = a_started(world)
    event = an_event(key, "FAILED", error="Sandbox.Timedout", cause="again and again")
    assert close(world, event) == "FAILED"
    assert world.show(key)["error"]["code"] == "Sandbox.Timedout"
    assert "again and again" in world.show(key)["error"]["detail"]


def test_a_timed_out_execution_says_so() -> None:
    world = World()
    key = a_started(world)
    close(world, an_event(key, "TIMED_OUT"))
    assert world.show(key)["error"]["code"] == "States.Timeout"


def test_the_event_of_a_cancelled_run_changes_nothing() -> None:
    world = World()
    key = a_started(world)
    world.cancel(key)
    assert close(world, an_event(key, "ABORTED", error="RunCancelled")) == "CANCELLED"
    assert world.show(key)["status"] == "CANCELLED"
