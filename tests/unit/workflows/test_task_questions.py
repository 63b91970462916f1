"""People who are asked by a workflow's task: who started the run may not decide, unless the task says so."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.approval_reminders import RemindApprovers
from stepward.agents.approvals import DecideApproval
from stepward.domain.approvals import Approval
from stepward.domain.errors import Conflict, NotAllowed
from stepward.domain.run_origins import Caller
from stepward.domain.task_records import TaskPlace, TaskRecord, WorkflowHead, WorkflowStatus, WorkflowTotals
from stepward.ports.clock import iso
from stepward.ports.tasks import NoTasks, TaskOutcome
from stepward.ports.workflow_runs import WorkflowEnd
from stepward.workflows.runs.ask_person import AskForTask
from stepward.workflows.runs.notify import NotifyEnd
from tests.support.builders import an_agent_body
from tests.support.driver import World
from tests.support.workflow_doubles import nobody
from tests.support.workflow_world import ACME, WorkflowWorld

MAY = {"id": "may", "type": "human", "question": "May I?", "timeout_s": 60}
GROUP = {"id": "all", "type": "parallel", "tasks": [MAY]}
EACH = {"id": "each", "type": "foreach", "items": "{% [1] %}", "tasks": [MAY]}
ROUNDS = {"id": "rounds", "type": "loop", "until": "{% true %}", "max_iterations": 2, "tasks": [MAY]}


def asked(world: World, task: dict[str, Any]) -> str:
    """Run a workflow to its question, ask it for real, and name the approval."""
    return world.approvals.of_run(ask(world, task).key)[0].id


def ask(world: World, task: dict[str, Any]) -> WorkflowHead:
    """Run a workflow to its question and ask it for real."""
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
    tend = RemindApprovers(world.approvals, world.tokens, world.machine, world.told, world.clock)
    AskForTask(world.approvals, tend, world.clock)(head, place, question)
    return head


class Answered(NoTasks):
    """The workflow's side, which takes every answer."""

    def __init__(self, *, is_waiting: bool = True) -> None:
        self.is_waiting = is_waiting

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        assert outcome.error is None

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        return self.is_waiting


def decide(world: World, approval: str, by: str, *, is_waiting: bool = True) -> dict[str, Any]:
    tasks = Answered(is_waiting=is_waiting)
    case = DecideApproval(
        world.approvals, world.journal, world.runtime, world.tokens, world.machine, world.clock, tasks
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


@pytest.mark.parametrize("task", [MAY, GROUP, EACH, ROUNDS])
def test_nobody_decides_what_no_task_waits_for_any_more(task: dict[str, Any]) -> None:
    world = World()
    approval = asked(world, task)
    with pytest.raises(Conflict, match="its task has ended"):
        decide(world, approval, by="ann", is_waiting=False)
    assert world.approvals.open_ones()[0].decision is None


@pytest.mark.parametrize("task", [MAY, GROUP, EACH, ROUNDS])
def test_a_question_is_closed_with_its_run_though_it_is_told_of_meanwhile(
    monkeypatch: pytest.MonkeyPatch, task: dict[str, Any]
) -> None:
    world = World()
    head = ask(world, task)
    change, others = world.approvals.change, [1, 2]

    def contended(before: Approval, after: Approval) -> bool:
        if others:
            # The janitor reminds between the reading and the closing.
            others.pop()
            change(before, before)
        return change(before, after)

    monkeypatch.setattr(world.approvals, "change", contended)
    end = WorkflowEnd(
        status=WorkflowStatus.CANCELLED, ended_at=iso(world.clock.now()), totals=WorkflowTotals()
    )
    NotifyEnd(world.ports, world.told)(head, end, None)
    assert [one.status for one in world.approvals.of_run(head.key)] == ["cancelled"]
