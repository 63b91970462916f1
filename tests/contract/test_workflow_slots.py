"""What both worlds promise about the slots of workflows' runs: they are those of agents' runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from stepward.adapters.aws.task_store import DynamoTaskStore
from stepward.adapters.aws.workflow_runs import DynamoWorkflowRuns
from stepward.adapters.memory.task_store import MemoryTaskStore
from stepward.adapters.memory.workflow_runs import MemoryWorkflowRuns
from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.errors import StoreConflict
from stepward.domain.run_queue import SlotState
from stepward.domain.runs import RunKey
from stepward.domain.task_records import WorkflowStatus
from stepward.ports.run_queue import NoSlot, SlotCount, SlotLimits
from tests.contract.test_workflow_runs import a_run, a_word, an_end
from tests.support.builders import LATER, a_key, a_new_run

ONE = SlotLimits(TenantLimits(active=1), AccountLimits())
OTHERS_FULL = SlotLimits(TenantLimits(), AccountLimits(active=1))


@dataclass
class World:
    """The runs of workflows over the line and the journal of agents' runs."""

    ports: Any

    def __post_init__(self) -> None:
        if type(self.ports.journal).__name__.startswith("Memory"):
            self.store: Any = MemoryTaskStore()
            self.runs: Any = MemoryWorkflowRuns(self.store, self.ports.clock, line=self.ports.run_queue)
        else:
            self.store = DynamoTaskStore(self.ports.journal)
            self.runs = DynamoWorkflowRuns("runtime", self.store, self.ports.clock)
        self.slots = self.runs.slots

    def start(self, number: int, limits: SlotLimits = ONE, **said: Any) -> str:
        head, is_new = self.runs.start(replace(a_run(number, **said), limits=limits))
        assert is_new
        return str(head.status)

    def stands(self, number: int) -> SlotState:
        found = self.slots.slot_state(a_key(number))
        assert found is not None
        assert self.store.snapshot(a_key(number), [], []).slot_state == found
        return found

    def status(self, number: int) -> str:
        return str(self.runs.head(a_key(number)).status)

    def count(self, tenant: str | None = "acme") -> tuple[int, int]:
        counted: SlotCount = self.ports.run_queue.count(tenant)
        return counted.active, counted.parked

    def wait(self, number: int, task: str = "ask", limits: SlotLimits = ONE) -> Any:
        before = self.stands(number)
        return self.slots.change(a_key(number), before, before.opened(task), limits)

    def enter(self, number: int, task: str = "next", limits: SlotLimits = ONE) -> Any:
        before = self.stands(number)
        after = before.entered(task, {"ask"}, works=True)
        return self.slots.change(a_key(number), before, after, limits)


@pytest.fixture
def world(ports: Any) -> World:
    return World(ports)


def test_a_run_takes_a_slot_or_stands_in_the_queue(world: World) -> None:
    assert [world.start(1), world.start(2)] == ["RUNNING", "PENDING"]
    assert world.count() == world.count(None) == (1, 0)
    assert world.stands(1).slot is not None
    waiting = world.ports.run_queue.first("acme", 10)
    assert [(one.run, one.workflow) for one in waiting] == [(a_key(2).run, "review")]
    assert world.stands(2).position == waiting[0].position


def test_agents_and_workflows_share_the_slots(world: World) -> None:
    started = world.ports.runtime.start(replace(a_new_run(7), limits=ONE))
    assert not started.queued
    assert world.start(1) == "PENDING"
    assert world.ports.runtime.start(replace(a_new_run(8), limits=ONE)).queued
    assert [one.run for one in world.ports.run_queue.first("acme", 10)] == [a_key(1).run, a_key(8).run]


def test_the_account_bounds_all_tenants(world: World) -> None:
    assert world.start(1, OTHERS_FULL) == "RUNNING"
    assert world.start(2, OTHERS_FULL, tenant="other") == "PENDING"


def test_the_queue_goes_by_priority(world: World) -> None:
    world.start(1)
    world.start(2, priority="low")
    world.start(3, priority="high")
    assert [one.run for one in world.ports.run_queue.first("acme", 10)] == [a_key(3).run, a_key(2).run]


def test_one_that_is_started_again_is_the_same_wherever_it_stands(world: World) -> None:
    world.start(1)
    assert world.start(2, key=a_word()) == "PENDING"
    again = replace(a_run(3, key=a_word()), limits=ONE)
    head, is_new = world.runs.start(again)
    assert (head.run, head.status, is_new) == (a_key(2).run, WorkflowStatus.PENDING, False)
    assert world.runs.start(replace(a_run(2), limits=ONE))[1] is False
    assert len(world.ports.run_queue.first("acme", 10)) == 1


def test_a_run_leaves_the_queue_when_a_slot_is_free(world: World) -> None:
    world.start(1)
    world.start(2)
    (waiting,) = world.ports.run_queue.first("acme", 10)
    assert isinstance(world.slots.admit(waiting, world.stands(2), ONE, LATER), NoSlot)
    world.runs.close(a_key(1), an_end())
    before = world.stands(2)
    admitted = world.slots.admit(waiting, before, ONE, "2026-03-01T00:00:00.000Z")
    assert admitted == world.stands(2)
    assert (world.status(2), world.runs.head(a_key(2)).deadline_at) == ("RUNNING", "2026-03-01T00:00:00.000Z")
    assert world.ports.run_queue.first("acme", 10) == []
    with pytest.raises(StoreConflict):
        world.slots.admit(waiting, before, SlotLimits(TenantLimits(), AccountLimits()), LATER)
    assert world.count() == (1, 0)


def test_a_waiting_run_holds_no_slot(world: World) -> None:
    world.start(1)
    world.start(2)
    freed = world.wait(1)
    assert (freed.done, freed.tenant_waits) == (True, True)
    assert (world.count(), world.status(1)) == ((0, 1), "WAITING")
    world.enter(1)
    assert (world.count(), world.status(1)) == ((1, 0), "RUNNING")
    assert world.count(None)[0] == 1


def test_one_that_goes_on_takes_a_slot_past_the_tenants_limit_and_not_of_the_account(world: World) -> None:
    world.start(1)
    world.wait(1)
    assert world.start(2) == "RUNNING"
    world.enter(1)
    assert (world.count(), world.count(None)[0]) == ((2, 0), 1)
    assert world.start(3) == "PENDING"
    world.runs.close(a_key(1), an_end())
    world.runs.close(a_key(2), an_end())
    assert (world.count(), world.count(None)[0]) == ((0, 0), 0)


def test_one_that_need_not_go_on_yet_takes_a_free_slot_only(world: World) -> None:
    world.start(1)
    world.wait(1)
    world.start(2)
    before = world.stands(1)
    after = before.entered("ask", (), works=False)
    assert not world.slots.change(a_key(1), before, after, ONE, past_limit=False).done
    assert (world.stands(1), world.count()) == (before, (1, 1))
    world.runs.close(a_key(2), an_end())
    assert world.slots.change(a_key(1), before, after, ONE, past_limit=False).done
    assert (world.count(), world.count(None)[0], world.status(1)) == ((1, 0), 1, "RUNNING")


def test_while_one_task_waits_another_holds_a_slot_as_long_as_it_works(world: World) -> None:
    world.start(1)
    world.wait(1, "call")
    world.enter(1, "beside")
    assert world.count() == (1, 0)
    before = world.stands(1)
    world.slots.change(a_key(1), before, before.left("beside"), ONE)
    assert (world.count(), world.stands(1).waits) == ((0, 1), ("call",))


def test_of_two_changes_at_once_one_is_made(world: World) -> None:
    world.start(1)
    before = world.stands(1)
    world.slots.change(a_key(1), before, before.opened("a"), ONE)
    with pytest.raises(StoreConflict):
        world.slots.change(a_key(1), before, before.opened("b"), ONE)
    seen = world.stands(1)
    world.slots.change(a_key(1), seen, seen.opened("b"), ONE)
    assert world.stands(1).waits == ("a", "b")
    assert world.count() == (0, 1)


@pytest.mark.parametrize("where", ["active", "waiting", "in the queue"])
def test_an_end_gives_everything_back_once(world: World, where: str) -> None:
    if where == "in the queue":
        world.start(9)
    world.start(1)
    if where == "waiting":
        world.wait(1)
    assert world.runs.close(a_key(1), an_end()).done
    assert not world.runs.close(a_key(1), an_end()).done
    assert world.count() == ((1, 0) if where == "in the queue" else (0, 0))
    assert world.ports.run_queue.first("acme", 10) == []
    stands = world.stands(1)
    assert (stands.is_over, stands.needs_slot) == (True, False)


def test_a_start_that_is_withdrawn_gives_its_slot_back_and_deletes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*said: Any) -> None:
        raise AssertionError(f"functions that only start may not delete: {said}")

    world.start(1)
    world.start(2)
    head = world.runs.head(a_key(1))
    monkeypatch.setattr("stepward.adapters.aws.slots.delete", refuse)
    freed = world.runs.withdraw(head, None)
    assert (freed.done, freed.tenant_waits, world.count()) == (True, True, (0, 0))
    assert world.stands(1).is_over
    assert not world.runs.withdraw(head, None).tenant_waits
    assert world.count() == (0, 0)


def test_an_end_tells_who_waits_for_a_slot(world: World) -> None:
    world.start(1)
    world.start(2)
    assert world.runs.close(a_key(1), an_end()).tenant_waits


def test_a_run_that_began_before_slots_were_counted_ends_as_ever(world: World) -> None:
    world.runs.start(a_run(1))
    key = RunKey(tenant="acme", run=a_key(1).run)
    assert world.slots.slot_state(key) is None
    assert world.runs.close(key, an_end()).done
    assert world.count() == (0, 0)
