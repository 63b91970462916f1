"""What awaited tasks set going in tests: agents, people and callers that answer as a test says, other workflows for real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepward.domain.run_origins import Caller
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import TaskPlace, WorkflowParent
from stepward.ports.tasks import TaskOutcome
from stepward.tasks.context import ChildRun, Question
from stepward.workflows.runs.start_checks import startable_workflow
from stepward.workflows.runs.start_run import StartWorkflow, WorkflowLaunch

if TYPE_CHECKING:
    from tests.support.workflow_world import WorkflowWorld

Answer = Callable[[TaskPlace, Any], TaskOutcome | None]
"""What comes for an attempt of a task, given what it was asked; None: nobody ever answers."""


def well(output: Any, cost: int = 0) -> TaskOutcome:
    return TaskOutcome(output=output, cost_usd_micros=cost)


def ill(code: str = "ToolFailed", *, passing: bool = False) -> TaskOutcome:
    return TaskOutcome(error=RunError(code=code, detail="it broke."), is_passing=passing)


def nobody(place: TaskPlace, given: Any) -> None:
    """Never answers."""


class FakeReach:
    """Remembers what was set going, each thing once; `answers` are by the task's path."""

    def __init__(self, world: WorkflowWorld) -> None:
        self.world = world
        self.answers: dict[str, Answer] = {}
        self.delay_s: Callable[[TaskPlace], float] = lambda place: 0.0
        self.agents: dict[str, tuple[TaskPlace, ChildRun]] = {}
        self.questions: list[tuple[TaskPlace, Question]] = []
        self.addresses: dict[str, TaskPlace] = {}
        self.cancelled: list[str] = []

    def of(self, key: RunKey) -> ReachOfRun:
        return ReachOfRun(self, key)

    def cancel_agent(self, tenant: str, run: str, by: str) -> None:
        del tenant, by
        self.cancelled.append(run)

    def soon(self, key: RunKey, place: TaskPlace, given: Any, usual: Any) -> None:
        """Answer by and by."""
        outcome = self.answers[place.path](place, given) if place.path in self.answers else well(usual)
        if outcome is not None:
            self.world.loop.later(self.delay_s(place), lambda: self.world.answer_task(key, place, outcome))


@dataclass(frozen=True)
class ReachOfRun:
    """The reach of one run's tasks."""

    fake: FakeReach
    key: RunKey

    def start_agent(self, place: TaskPlace, child: ChildRun) -> None:
        assert place.child
        if place.child not in self.fake.agents:
            self.fake.agents[place.child] = (place, child)
            self.fake.soon(self.key, place, child.given, {"agent": child.of, "given": child.given})

    def start_workflow(self, place: TaskPlace, child: ChildRun) -> None:
        world = self.fake.world
        head = world.runs.head(self.key)
        assert head is not None
        found = startable_workflow(world.registry, self.key.tenant, child.of, child.version)
        above = head.parent.ancestors if head.parent else ()
        parent = WorkflowParent(run=self.key.run, place=place, ancestors=(*above, head.workflow))
        launch = WorkflowLaunch(child.given, run=place.child, parent=parent)
        caller = Caller(tenant=self.key.tenant, principal=head.principal)
        StartWorkflow(world.ports, world.registry).launch(caller, found, launch)

    def ask_person(self, place: TaskPlace, question: Question) -> None:
        if all(known != place for known, _ in self.fake.questions):
            self.fake.questions.append((place, question))
            self.fake.soon(self.key, place, question, {"decision": "approve", "by": "ann"})

    def wait_for_call(self, place: TaskPlace) -> str:
        address = f"https://calls.example/{place.key}/{place.attempt}"
        if address not in self.fake.addresses:
            self.fake.addresses[address] = place
            self.fake.soon(self.key, place, address, {"called": True})
        return address
