"""What a run may spend: each agent is given what is left, and none begins when nothing is."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.start import Launch
from stepward.domain.run_origins import Caller
from stepward.domain.runs import RunKey
from stepward.workflows.runs.child_runs import ChildRuns
from stepward.workflows.runs.start_run import StartWorkflow
from tests.support.builders import an_agent_body
from tests.support.driver import World
from tests.support.workflow_doubles import well
from tests.support.workflow_world import Ran, WorkflowWorld


class Billing:
    """Starts agents whose answer costs so much, and remembers what each was allowed."""

    def __init__(self, world: WorkflowWorld, cost: int) -> None:
        agents = World()
        agents.register(an_agent_body())
        self.registry, self.allowed = agents.registry, []
        self._world, self._cost = world, cost
        world.reach.of = self._reach  # type: ignore[assignment,method-assign]

    def launch(self, caller: Caller, launch: Launch) -> None:
        self.allowed.append(launch.cost_limit_usd_micros)
        assert launch.parent is not None
        key, place = RunKey(tenant=caller.tenant, run=launch.parent.run), launch.parent.task
        self._world.loop.later(1, lambda: self._world.answer_task(key, place, well("ok", self._cost)))

    def _reach(self, key: RunKey) -> ChildRuns:
        world = self._world
        workflows = StartWorkflow(world.ports, world.registry)
        return ChildRuns(world.ports, key, self, workflows, _never, _never)  # type: ignore[arg-type]


def _never(*said: Any) -> str:
    raise AssertionError(said)


def ask(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "agent", "agent": "helper", "needs": needs, **more}


def run(*tasks: dict[str, Any], cost: int = 400_000, **said: Any) -> tuple[Ran, list[int | None]]:
    world = WorkflowWorld()
    billing = Billing(world, cost)
    return world.run(list(tasks), **said), billing.allowed


def test_agents_are_given_what_is_left() -> None:
    ran, allowed = run(ask("a"), ask("b", "a"), ask("c", "b"), cost_limit_usd="2")
    assert (ran.status, allowed) == ("COMPLETED", [2_000_000, 1_600_000, 1_200_000])
    assert ran.head.totals.cost_usd_micros == 1_200_000


def test_an_agents_own_limit_is_kept_where_it_is_less() -> None:
    _, allowed = run(
        ask("a"), ask("b", "a", cost_limit_usd="0.5"), ask("c", "b", cost_limit_usd="3"), cost_limit_usd="1"
    )
    assert allowed == [1_000_000, 500_000, 200_000]


@pytest.mark.parametrize("fallback", [None, {"output": "spare"}])
def test_nothing_begins_when_nothing_is_left(fallback: Any) -> None:
    more = {"fallback": fallback} if fallback else {}
    ran, allowed = run(ask("a"), ask("b", "a"), ask("c", "b", **more), cost_limit_usd="0.8")
    assert allowed == [800_000, 400_000]
    error = ran.records["c"].error
    assert error is not None
    assert (error.code, ran.status) == ("BudgetExceeded", "COMPLETED" if fallback else "FAILED")


def test_without_a_limit_there_is_none() -> None:
    assert run(ask("a"))[1] == [None]
