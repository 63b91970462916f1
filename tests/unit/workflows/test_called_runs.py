"""Agents run workflows as tools: once a call, without a slot, and never longer than anybody waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stepward.agents.machine_messages import WaitRequest
from stepward.agents.start import Start
from stepward.agents.waits import OpenWait
from stepward.domain.errors import NotAllowed
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskPlace, WorkflowHead
from stepward.tasks.context import ChildRun
from stepward.workflows.runs.child_runs import CalledWorkflows, CallStillWaits, ChildRuns, StartCalled
from stepward.workflows.runs.end_run import EndRun
from stepward.workflows.runs.notify import NotifyEnd
from stepward.workflows.runs.reconcile import ReconcileWorkflows
from stepward.workflows.runs.start_run import StartWorkflow
from tests.support.builders import an_agent_body
from tests.support.driver import World
from tests.support.workflow_doubles import nobody, well
from tests.support.workflow_world import WorkflowWorld

DRAFT = {"id": "draft", "type": "agent", "agent": "writer", "with": {"who": "{% $input.who %}"}}
RUN = {"tool": "run_flow", "arguments": {"input": {"who": "Ada"}}}


class Both:
    """Agents and workflows in one world: an agent `asker` with the workflow `flow` as its tool."""

    def __init__(self) -> None:
        self.world, self.flows = World(), WorkflowWorld()
        self.starts = StartWorkflow(self.flows.ports, self.flows.registry)
        end = EndRun(self.flows.ports, self.tell, self.flows.reach.cancel_agent)
        self.world.ports = replace(self.world.ports, workflows=CalledWorkflows(end))
        self.sweep = ReconcileWorkflows(self.flows.ports, end, CallStillWaits(self.world.ports))
        self.flows.register([DRAFT])
        say = "{% $results[0].content.output %}"
        turns = [{"call": [RUN]}, {"say": say}]
        self.world.register(
            an_agent_body(id="asker", tools=[{"workflow": "flow"}], rehearsal={"turns": turns})
        )

    def tell(self, head: WorkflowHead, end: Any, output: Any) -> None:
        NotifyEnd(self.world.ports, self.world.told)(head, end, output)

    def ask(self) -> tuple[RunKey, Any]:
        """Let the agent come to its call, and open that."""
        key = self.world.start("asker")
        answer = self.world.advance(key)
        assert answer.next == "waits"
        self.open(key, answer)
        return key, answer

    def open(self, key: RunKey, answer: Any) -> None:
        request = WaitRequest(
            v=1, tenant="acme", run=key.run, agent="asker", version="1.0.0", call="call_1_1", token="t-1"
        )
        openers = {"workflow": StartCalled(self.world.ports, self.starts)}
        OpenWait(self.world.ports, self.world._definition, openers)(request)

    def go_on(self, key: RunKey, answer: Any, **said: Any) -> dict[str, Any]:
        self.world.advance(key, awaited=answer.seq, **said)
        return self.world.show(key)

    @property
    def heads(self) -> list[WorkflowHead]:
        return list(self.flows.runs.heads.values())

    def end_flow(self) -> None:
        """Carry the workflow's run to its end, and tell whoever waits."""
        self.flows.finish(self.heads[0].key)
        head, end, output = self.flows.told[-1]
        self.tell(head, end, output)


@pytest.fixture
def both() -> Both:
    return Both()


def test_a_workflow_answers_the_agent_that_runs_it(both: Both) -> None:
    both.flows.reach.answers["draft"] = lambda place, given: well(f"Dear {given['who']}", 500)
    key, answer = both.ask()
    assert both.world.run_queue.slots == {}
    both.end_flow()
    assert "t-1" in both.world.machine.answered
    run = both.go_on(key, answer)
    assert (run["status"], run["output"]) == ("COMPLETED", "Dear Ada")
    assert run["totals"]["cost_usd_micros"] >= 500
    (head,) = both.heads
    assert head.parent is not None
    assert (head.parent.run, head.parent.tool, head.parent.ancestors) == (
        key.run,
        "run_flow",
        ("agent:asker",),
    )


def test_a_call_starts_one_run_however_often_it_is_opened(both: Both) -> None:
    key, answer = both.ask()
    for _ in range(3):
        both.open(key, answer)
    assert len(both.heads) == 1
    item = both.world.journal.call(key, "call_1_1")
    assert item is not None
    assert item.started_by == both.heads[0].run


@pytest.mark.parametrize(("changed", "code"), [("gone", "NotFound"), ("picky", "InvalidRequest")])
def test_what_cannot_be_started_is_the_calls_result(both: Both, changed: str, code: str) -> None:
    both.flows.registry.remove("acme", "flow", "1.0.0")
    if changed == "picky":
        both.flows.register([DRAFT], version="1.0.1", input={"type": "object", "required": ["what"]})
    key, answer = both.ask()
    item = both.world.journal.call(key, "call_1_1")
    assert item is not None
    assert item.result is not None
    assert (both.heads, item.result.error) == ([], code)
    assert both.go_on(key, answer)["status"] == "COMPLETED"


def test_a_cancel_goes_down_to_the_workflow(both: Both) -> None:
    both.flows.reach.answers["draft"] = nobody
    key, _ = both.ask()
    flow = both.heads[0].key
    both.flows.loop.run(until=lambda: bool(both.flows.reach.agents))
    both.world.cancel(key)
    assert both.world.show(key)["status"] == "CANCELLED"
    assert both.heads[0].status == "CANCELLED"
    assert len(both.flows.reach.cancelled) == 1
    assert both.flows.execution(flow).status != "RUNNING"


def test_a_workflow_that_nobody_waits_for_is_ended_by_the_janitor(both: Both) -> None:
    both.flows.reach.answers["draft"] = nobody
    key, _ = both.ask()
    both.flows.loop.run(until=lambda: bool(both.flows.reach.agents))
    both.flows.loop.later(60, lambda: None)
    both.flows.loop.run(until=lambda: both.flows.loop.now_s >= 60)
    assert both.sweep()["workflows_cancelled"] == 0
    both.world.end_unseen(key)
    assert both.sweep()["workflows_cancelled"] == 1
    assert both.heads[0].status == "CANCELLED"


def test_a_workflow_that_answers_too_late_begins_nothing_more(both: Both) -> None:
    key, answer = both.ask()
    failed = [{"call": "call_1_1", "error": "States.Timeout"}]
    run = both.go_on(key, answer, failed=failed)
    assert run["status"] == "COMPLETED"
    ran = both.flows.finish(both.heads[0].key)
    assert (ran.status, both.flows.reach.agents) == ("CANCELLED", {})


def test_agents_and_workflows_do_not_start_each_other_in_a_circle(both: Both) -> None:
    both.ask()
    (head,) = both.heads
    reach = ChildRuns(
        ports=both.flows.ports,
        key=head.key,
        start=Start(both.world.ports, both.world.registry),
        workflows=both.starts,
        ask=lambda *_: None,
        address=lambda *_: "",
    )
    place = TaskPlace(
        workflow="flow", version="1.0.0", path="draft", started_at=head.created_at, child="run_x"
    )
    with pytest.raises(NotAllowed, match="asker → workflow:flow → asker"):
        reach.start_agent(place, ChildRun("asker", None, "hello"))
    with pytest.raises(NotAllowed, match="agent:asker → flow → flow"):
        reach.start_workflow(place, ChildRun("flow", None, {}))


def test_the_workflow_may_spend_what_is_left_to_the_agent(both: Both) -> None:
    both.ask()
    (head,) = both.heads
    assert head.parent is not None
    limit = both.world._definition("acme", "asker", "1.0.0").limits.cost_limit_usd_micros
    assert 0 < (head.parent.cost_limit_usd_micros or 0) <= limit
