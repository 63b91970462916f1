"""What awaited tasks set going, over the platform's own use cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stepward.agents.find import startable_agent
from stepward.agents.start import Caller, Launch, Start
from stepward.domain.errors import BudgetExceeded, NotFound
from stepward.domain.journal import Parent
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskPlace, WorkflowHead, WorkflowParent
from stepward.tasks.base import ChildRun, Question
from stepward.workflow.running.ports import WorkflowPorts
from stepward.workflow.running.settling import totals_of
from stepward.workflow.running.starting import StartWorkflow, WorkflowLaunch, startable_workflow

Ask = Callable[[WorkflowHead, TaskPlace, Question], None]
MakeAddress = Callable[[WorkflowHead, TaskPlace], str]


@dataclass(frozen=True)
class WorkflowReach:
    """The reach of one run's tasks."""

    ports: WorkflowPorts
    key: RunKey
    start: Start
    workflows: StartWorkflow
    ask: Ask
    address: MakeAddress

    def start_agent(self, place: TaskPlace, child: ChildRun) -> None:
        """Start the agent's run under the name that its task's mark says; it may spend what is left of the run's limit."""
        head = self._head()
        agent = startable_agent(self.start.registry, self.key.tenant, child.of, child.version).definition
        definition = self.ports.program(self.key.tenant, place.workflow, place.version).definition
        limits = [
            one for one in (child.cost_limit_usd_micros, self._left(definition.cost_limit_usd_micros)) if one
        ]
        self.start.launch(
            Caller(tenant=self.key.tenant, principal=head.principal),
            Launch(
                agent=agent,
                given=child.given,
                priority=definition.priority,
                run=place.child,
                cost_limit_usd_micros=min(limits) if limits else None,
                parent=Parent(
                    run=self.key.run,
                    call=str(place.key),
                    tool="workflow",
                    depth=1,
                    ancestors=(),
                    task=place,
                ),
            ),
        )

    def start_workflow(self, place: TaskPlace, child: ChildRun) -> None:
        """Start the other workflow's run under the name that its task's mark says."""
        head = self._head()
        found = startable_workflow(self.workflows.registry, self.key.tenant, child.of, child.version)
        above = head.parent.ancestors if head.parent else ()
        parent = WorkflowParent(run=self.key.run, place=place, ancestors=(*above, head.workflow))
        launch = WorkflowLaunch(child.given, run=place.child, parent=parent)
        self.workflows.launch(Caller(tenant=self.key.tenant, principal=head.principal), found, launch)

    def ask_person(self, place: TaskPlace, question: Question) -> None:
        """Open an approval."""
        self.ask(self._head(), place, question)

    def wait_for_call(self, place: TaskPlace) -> str:
        """Make an address that only the one who is told it knows."""
        return self.address(self._head(), place)

    def _head(self) -> WorkflowHead:
        found = self.ports.runs.head(self.key)
        if found is None:
            raise NotFound(f"there is no run {self.key.run}.")
        return found

    def _left(self, limit: int | None) -> int | None:
        """What the run may still spend."""
        if limit is None:
            return None
        spent = totals_of(self.ports.store.everything(self.key).records).cost_usd_micros
        if spent >= limit:
            raise BudgetExceeded(f"the run has spent {spent} of its {limit} micro-dollars.")
        return limit - spent
