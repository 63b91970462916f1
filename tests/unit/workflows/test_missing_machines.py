"""A version whose state machine is gone: it is ordered anew by whoever meets it, and no run is left that cannot run."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.memory.workflow_registry import MemoryWorkflowRegistry
from stepward.domain.errors import Conflict, DependencyTimeout
from stepward.domain.run_lists import RunFilter
from stepward.ports.workflow_registry import VersionStatus
from stepward.workflows.runs.end_run import EndRun
from stepward.workflows.runs.reconcile import OVERDUE, ReconcileWorkflows
from stepward.workflows.runs.start_checks import TRY_AGAIN
from stepward.workflows.runs.start_run import StartWorkflow
from stepward.workflows.services.publish import PublishWorkflow
from stepward.workflows.services.register import RegisterWorkflow
from tests.support.workflow_world import ACME, WorkflowWorld

TASKS = [{"id": "a", "type": "transform", "output": "{% $input %}"}]
ORDER = (ACME.tenant, "flow", "1.0.0")


def a_world(tasks: list[dict[str, Any]] | None = None) -> WorkflowWorld:
    """A version whose machine is gone."""
    world = WorkflowWorld()
    world.register(tasks or TASKS)
    world.machines.missing.add(world.registry.program(*ORDER).machine)
    return world


def start(world: WorkflowWorld, key: str | None = None) -> str:
    return StartWorkflow(world.ports, world.registry)(ACME, "flow", {"input": 1}, key)[0].run


def sweep(world: WorkflowWorld) -> dict[str, int]:
    world.loop.now_s += OVERDUE.total_seconds() + 1
    end = EndRun(world.ports, lambda *told: None, world.reach.cancel_agent)
    return ReconcileWorkflows(world.ports, end)()


@pytest.mark.parametrize("key", [None, "k-1"])
def test_a_start_without_a_machine_leaves_no_run_and_is_made_again(key: str | None) -> None:
    world = a_world()
    with pytest.raises(Conflict, match="no run was started") as refused:
        start(world, key)
    assert (refused.value.fix, world.machines.ordered) == (TRY_AGAIN, [ORDER])
    assert world.runs.list_runs(ACME.tenant, RunFilter(), limit=10).runs == []
    assert set(sweep(world).values()) == {0}
    world.machines.make()
    run = start(world, key)
    assert [one.run for one in world.runs.list_runs(ACME.tenant, RunFilter(), limit=10).runs] == [run]


def test_an_event_comes_only_once_so_its_run_begins_later() -> None:
    world = a_world()
    begin = StartWorkflow(world.ports, world.registry, may_begin_later=True)
    head, is_new = begin(ACME, "flow", {"input": 1}, "event-1")
    assert (is_new, world.machines.ordered) == (True, [ORDER])
    assert begin(ACME, "flow", {"input": 1}, "event-1")[0].run == head.run
    world.machines.make()
    assert sweep(world)["workflows_started"] == 1
    assert world.finish(head.key).output == 1


def test_a_version_that_is_never_made_is_ordered_by_each_start() -> None:
    world = a_world()
    world.registry.mark(*ORDER, VersionStatus.PUBLISHING, None)
    for _ in range(2):
        with pytest.raises(Conflict, match="PUBLISHING"):
            start(world)
    assert world.machines.ordered == [ORDER, ORDER]


def test_a_run_that_somebody_waits_for_begins_once_there_is_a_machine() -> None:
    world = a_world([{"id": "a", "type": "transform", "output": 42}])
    world.register([{"id": "sub", "type": "subworkflow", "workflow": "flow"}], id="above")
    key = world.start(workflow="above")
    world.loop.run(until=lambda: bool(world.machines.ordered))
    assert sweep(world)["workflows_started"] == 0
    world.machines.make()
    assert sweep(world)["workflows_started"] == 1
    assert world.finish(key).output == 42


def test_a_run_whose_machine_never_comes_is_closed_at_its_deadline() -> None:
    world = WorkflowWorld()
    world.register(TASKS, timeout_s=600)
    key = world.start(1)
    world.engine.executions.clear()
    world.machines.missing.add(world.registry.program(*ORDER).machine)
    assert sweep(world)["workflows_closed"] == 0
    world.loop.now_s += 600
    assert sweep(world)["workflows_closed"] == 1
    head = world.runs.head(key)
    assert head is not None
    assert (head.status, head.error and head.error.code) == ("FAILED", "States.Timeout")


def test_one_run_that_cannot_be_mended_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = WorkflowWorld()
    world.register(TASKS)
    runs = [world.start(number) for number in range(3)]
    world.engine.executions.clear()
    begin = world.machines.start

    def broken(head: Any, *more: Any, **said: Any) -> None:
        if head.run == runs[0].run:
            raise DependencyTimeout("it does not answer")
        begin(head, *more, **said)

    monkeypatch.setattr(world.machines, "start", broken)
    with pytest.raises(DependencyTimeout):
        sweep(world)
    assert len(world.engine.executions) == 2


def test_a_registration_makes_the_machine_again_that_is_gone() -> None:
    world, made = a_world(), list[str]()

    class Shop:
        def make(self, name: str, text: str, tags: Any) -> None:
            del text, tags
            made.append(name)

    register = RegisterWorkflow(
        registry := MemoryWorkflowRegistry(),
        world.registry,  # type: ignore[arg-type]  # no agent is named
        world.loop,
        lambda *order: str(PublishWorkflow(registry, Shop(), {})(*order)),  # type: ignore[arg-type,return-value]
        is_made=lambda machine: machine in made,
    )
    body = {"id": "flow", "name": "Flow", "version": "1.0.0", "tasks": TASKS}
    for _ in range(2):
        kept, _ = register(ACME, body, "json")
        found = registry.version(*ORDER)
        assert found is not None
        assert (made, found.status) == ([kept.machine], VersionStatus.READY)
        made.clear()
