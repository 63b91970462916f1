"""Start, await and end the runs within a run: those of tasks and of agents' calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stepward.agents.answering import answers_of, inherited
from stepward.agents.children import check_descent, share_of_child, start_once
from stepward.agents.lookup import startable_agent
from stepward.agents.run_ports import RunPorts
from stepward.agents.start import Launch, Start
from stepward.domain.budgets import run_budget
from stepward.domain.conversation import ToolCall
from stepward.domain.errors import BudgetExceeded, Conflict
from stepward.domain.money import dollars
from stepward.domain.run_origins import Caller, Parent, above_agent, above_workflow
from stepward.domain.run_queue import RunBudget
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunKey, StartOptions, existing_head
from stepward.domain.task_records import TaskPlace, WorkflowHead, WorkflowParent
from stepward.domain.workflows import WorkflowDefinition
from stepward.tasks.context import ChildRun, Question
from stepward.tools.arguments import read_arguments
from stepward.tools.base import BoundTool
from stepward.tools.workflow import Given
from stepward.workflows.runs.end_run import EndRun, totals_of
from stepward.workflows.runs.run_store import WorkflowPorts
from stepward.workflows.runs.start_checks import startable_workflow
from stepward.workflows.runs.start_run import StartWorkflow, WorkflowLaunch

Ask = Callable[[WorkflowHead, TaskPlace, Question], None]
MakeAddress = Callable[[WorkflowHead, TaskPlace], str]


@dataclass(frozen=True)
class ChildRuns:
    """Starts what the tasks of one run wait for: runs, approvals and callbacks."""

    ports: WorkflowPorts
    key: RunKey
    start: Start
    workflows: StartWorkflow
    ask: Ask
    address: MakeAddress

    def start_agent(self, place: TaskPlace, child: ChildRun) -> None:
        """Start the agent's run with the id in its task's mark.

        It may spend what is left of the run's limit.
        """
        head = self._head()
        agent = startable_agent(self.start.registry, self.key.tenant, child.of, child.version).definition
        above = above_agent(self._chain(head))
        check_descent(agent.id, above, len(above))
        answers = inherited(head.answers, agent)
        limits = [one for one in (child.cost_limit_usd_micros, self._left(head, place)) if one]
        self.start.launch(
            Caller(tenant=self.key.tenant, principal=head.principal),
            Launch(
                agent=agent,
                given=child.given,
                answers=answers,
                said=StartOptions(priority=self._definition(place).priority),
                run=place.child,
                cost_limit_usd_micros=min(limits) if limits else None,
                parent=Parent(
                    run=self.key.run,
                    call=str(place.key),
                    tool="workflow",
                    depth=len(above),
                    ancestors=above,
                    task=place,
                    budgets=self._budgets(head, place),
                ),
            ),
        )

    def start_workflow(self, place: TaskPlace, child: ChildRun) -> None:
        """Start the other workflow's run with the id in its task's mark."""
        head = self._head()
        self._left(head, place)
        found = startable_workflow(self.workflows.registry, self.key.tenant, child.of, child.version)
        parent = WorkflowParent(
            run=self.key.run,
            place=place,
            ancestors=self._chain(head),
            budgets=self._budgets(head, place),
        )
        launch = WorkflowLaunch(child.given, run=place.child, parent=parent, before=head.answers)
        self.workflows.launch(Caller(tenant=self.key.tenant, principal=head.principal), found, launch)

    def ask_person(self, place: TaskPlace, question: Question) -> None:
        """Open an approval."""
        self.ask(self._head(), place, question)

    def wait_for_call(self, place: TaskPlace) -> str:
        """Return an address that only its receiver knows."""
        return self.address(self._head(), place)

    def _head(self) -> WorkflowHead:
        return existing_head(self.ports.runs.head(self.key), self.key.run)

    @staticmethod
    def _chain(head: WorkflowHead) -> tuple[str, ...]:
        """Return this run's workflow, after those above it."""
        return (*(head.parent.ancestors if head.parent else ()), head.workflow)

    def _definition(self, place: TaskPlace) -> WorkflowDefinition:
        return self.ports.program(self.key.tenant, place.workflow, place.version).definition

    def _budgets(self, head: WorkflowHead, place: TaskPlace) -> tuple[RunBudget, ...]:
        """Return the run budgets of all agents within: those above, and the run's own limit."""
        above, limit = head.parent.budgets if head.parent else (), self._limit(head, place)
        own = () if limit is None else (run_budget(head.run, head.created_at, limit),)
        return (*above, *own)

    def _limit(self, head: WorkflowHead, place: TaskPlace) -> int | None:
        """Return what the run may spend: by its document, and by the agent that waits for it."""
        given = head.parent.cost_limit_usd_micros if head.parent else None
        known = [one for one in (self._definition(place).cost_limit_usd_micros, given) if one is not None]
        return min(known, default=None)

    def _left(self, head: WorkflowHead, place: TaskPlace) -> int | None:
        """Return what ended tasks have left of the limit, so that no agent is begun for nothing.

        What parallel tasks hold and spend meanwhile is in the budget, from which each draws before it spends.
        """
        limit = self._limit(head, place)
        if limit is None:
            return None
        spent = totals_of(self.ports.store.full_snapshot(self.key).records).cost_usd_micros
        if spent >= limit:
            raise BudgetExceeded(f"the run has spent {dollars(spent)} of its {dollars(limit)}.")
        return limit - spent


@dataclass(frozen=True)
class StartCalled:
    """Starts the run of a call of the tool `workflow`.

    The run's id is recorded before the run is started.
    """

    ports: RunPorts
    start: StartWorkflow

    def __call__(self, key: RunKey, state: RunState, call: ToolCall, tool: BoundTool) -> None:
        """Start the run once, or answer the call with the reason why there is none.

        time →   first:  mark child ✓ ─ ✗ dies          again: the mark names the child: start it by that name
                 cancel: ended ✓ ─ reads marks          we: mark ✓ ─ start: the janitor sees that no call waits
        """
        start_once(self.ports, key, call, lambda run: self._start(key, state, call, tool, run))

    def _start(self, key: RunKey, state: RunState, call: ToolCall, tool: BoundTool, run: str) -> None:
        given: Given = read_arguments(tool, call)
        above = state.start.parent
        chain = (*(above.ancestors if above else ()), state.agent.agent)
        wanted = tool.settings
        found = startable_workflow(self.start.registry, key.tenant, wanted.workflow, wanted.version)
        parent = WorkflowParent(
            run=key.run,
            call=call.id,
            tool=call.tool,
            ancestors=above_workflow(chain),
            cost_limit_usd_micros=share_of_child(state),
            budgets=state.run_budgets,
        )
        launch = WorkflowLaunch(given.input, run=run, parent=parent, before=answers_of(state.start))
        self.start.launch(Caller(tenant=key.tenant, principal=state.start.principal), found, launch)


@dataclass(frozen=True)
class CalledWorkflows:
    """Ends runs that agents' calls waited for."""

    end: EndRun

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """Cancel a run that has not ended; ending meanwhile is no error."""
        if self._open(tenant, run) is None:
            return
        try:
            self.end.cancel(tenant, run, by)
        except Conflict:
            return

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Record the cancellation, so that no further task begins."""
        head = self._open(tenant, run)
        if head is not None:
            self.end.ports.store.cancel(head.key, by)

    def _open(self, tenant: str, run: str) -> WorkflowHead | None:
        head = self.end.ports.runs.head(RunKey(tenant=tenant, run=run))
        return None if head is None or head.ended else head


@dataclass(frozen=True)
class CallStillWaits:
    """Answers whether an agent's call still waits for a run."""

    ports: RunPorts

    def __call__(self, head: WorkflowHead) -> bool:
        """Return whether the call, and the run that made it, still wait; True without a call."""
        parent = head.parent
        if parent is None or parent.call is None:
            return True
        above = RunKey(tenant=head.tenant, run=parent.run)
        asked = self.ports.journal.call(above, parent.call)
        if asked is not None and asked.result is not None:
            return False
        waiting = self.ports.runtime.head(above)
        return waiting is not None and not waiting.ended
