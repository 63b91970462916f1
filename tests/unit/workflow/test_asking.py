"""People who are asked by a workflow's task: who started the run may not decide, unless the task says so."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.approvals import DecideApproval
from stepward.agents.tend_approvals import TendApprovals
from stepward.domain.callers import Caller
from stepward.domain.errors import NotAllowed
from stepward.domain.task_records import TaskPlace, TaskRecord
from stepward.ports.task_answers import NoTasks, TaskOutcome
from stepward.workflow.running.asking import AskForTask
from tests.builders import an_agent_body
from tests.driver import World
from tests.workflow_reach import nobody
from tests.workflow_world import ACME, WorkflowWorld

MAY = {"id": "may", "type": "human", "question": "May I?", "timeout_s": 60}
GROUP = {"id": "all", "type": "parallel", "tasks": [MAY]}
EACH = {"id": "each", "type": "foreach", "items": "{% [1] %}", "tasks": [MAY]}
ROUNDS = {"id": "rounds", "type": "loop", "until": "{% true %}", "max_iterations": 2, "tasks": [MAY]}


def asked(world: World, task: dict[str, Any]) -> str:
    """Run a workflow to its question, ask it for real, and name the approval."""
    flow = WorkflowWorld()
    for path in ("may", "all.may", "each.may", "rounds.may"):
        flow.reach.answers[path] = nobody
    flow.register([task])
    key = flow.start("hello")
    flow.loop.run(until=lambda: bool(flow.reach.questions))
    ((place, question),) = flow.reach.questions
    head = flow.runs.head(key)
    assert head is not None
    # Approvals in memory look for their run among those of agents.
    world.register(an_agent_body(id="stand-in"))
    head = head.model_copy(update={"run": world.start("stand-in").run})
    tend = TendApprovals(world.approvals, world.tokens, world.machine, world.told, world.clock)
    AskForTask(world.approvals, tend, world.clock)(head, place, question)
    return world.approvals.of_run(head.key)[0].id


class Answered(NoTasks):
    """The workflow's side, which takes every answer."""

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        assert outcome.error is None


def decide(world: World, approval: str, by: str) -> dict[str, Any]:
    case = DecideApproval(
        world.approvals, world.journal, world.runtime, world.tokens, world.machine, world.clock, Answered()
    )
    return case(Caller(ACME.tenant, by), approval, {"decision": "approve"})


@pytest.mark.parametrize("task", [MAY, GROUP, EACH, ROUNDS])
def test_who_started_the_run_may_not_decide(task: dict[str, Any]) -> None:
    world = World()
    approval = asked(world, task)
    with pytest.raises(NotAllowed) as caught:
        decide(world, approval, by=ACME.principal)
    assert "started the run" in caught.value.detail
    assert "register the workflow with `not_requester: false`" in str(caught.value.fix)
    assert world.approvals.of_run(world.approvals.open_ones()[0].key)[0].is_open
    assert decide(world, approval, by="ann")["status"] == "approved"


def test_who_started_the_run_may_decide_where_the_task_says_so() -> None:
    world = World()
    approval = asked(world, {**MAY, "not_requester": False})
    assert decide(world, approval, by=ACME.principal)["status"] == "approved"
