"""How runs are shown: what waits and for whom, what never came to its end, what could not be undone."""

from __future__ import annotations

from typing import Any

from stepward.domain.runs import RunKey
from stepward.workflows.services.views import ShowWorkflows
from tests.support.workflow_world import ACME, WorkflowWorld

ASK = {"id": "ask", "type": "human", "question": "Is it?", "timeout_s": 600}
CALL = {"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 600}
BAD = {"id": "bad", "type": "transform", "output": "{% $error('no') %}"}


def after(*needs: str) -> dict[str, Any]:
    return {"id": "after", "type": "transform", "output": 1, "needs": needs}


def begun(tasks: list[dict[str, Any]]) -> tuple[WorkflowWorld, RunKey]:
    """A run that has gone as far as it can by itself."""
    world = WorkflowWorld()
    world.register(tasks)
    key = world.start()
    world.loop.run(until=lambda: len(world.store.full_snapshot(key).begun) >= len(tasks) - 1)
    return world, key


def shown(world: WorkflowWorld, key: RunKey) -> dict[str, Any]:
    return ShowWorkflows(world.registry, world.ports).run(ACME.tenant, key.run)


def tasks_of(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {task["task"]: task for task in found["tasks"]}


def test_what_waits_says_for_whose_word() -> None:
    world, key = begun([ASK, CALL, after("ask", "call")])
    tasks = tasks_of(shown(world, key))
    assert tasks["ask"]["approval"] == f"{key.run}.ask-1"
    assert tasks["call"]["callback"].startswith(f"/callbacks/acme/{key.run}/call/")
    assert [tasks[name]["status"] for name in ("ask", "call", "after")] == ["RUNNING", "RUNNING", "PENDING"]


def test_a_run_says_that_it_has_no_error_as_runs_of_agents_do() -> None:
    world, key = begun([ASK, after("ask")])
    assert shown(world, key)["error"] is None


def test_in_a_run_that_has_ended_nothing_runs_or_will() -> None:
    world, key = begun([ASK, after("ask")])
    world.cancel(key)
    found = shown(world, key)
    tasks = tasks_of(found)
    assert (tasks["ask"]["status"], tasks["ask"]["why"]) == ("CANCELLED", "the run ended before it did")
    assert (tasks["after"]["status"], tasks["after"]["why"]) == ("CANCELLED", "the run ended before it began")
    assert "approval" not in tasks["ask"]
    assert found["report"]["counts"] == {"CANCELLED": 2}


def test_what_could_not_be_undone_is_not_told_as_undone() -> None:
    world = WorkflowWorld(duration_s=lambda path, at: 1.0)
    undo = {"id": "undo", "type": "transform", "output": "{% $error('cannot') %}"}
    one = {"id": "one", "type": "transform", "output": 1, "compensate": undo}
    two = {**one, "id": "two", "compensate": {**undo, "output": "done"}}
    ran = world.run([one, two, {**BAD, "needs": ["one", "two"]}])
    report = shown(world, ran.key)["report"]
    assert (report["undone"], report["not_undone"]) == (["two"], ["one"])
