"""Make the services of workflows' runs: those that start them, carry out their tasks, and end them."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepward.domain.runs import RunKey
    from stepward.domain.task_records import WorkflowHead
    from stepward.ports.workflow_runs import WorkflowEnd
    from stepward.runtime.container import Container
    from stepward.workflows.runs.begin_run import AdmitRun
    from stepward.workflows.runs.child_runs import CalledWorkflows, StartCalled
    from stepward.workflows.runs.chunks import RunChunk
    from stepward.workflows.runs.end_run import EndRun
    from stepward.workflows.runs.execute_task import ExecuteTask
    from stepward.workflows.runs.finalize import FinalizeRun
    from stepward.workflows.runs.outside_answers import AnswerTask, ReceiveCall
    from stepward.workflows.runs.reconcile import ReconcileWorkflows
    from stepward.workflows.runs.run_store import WorkflowPorts
    from stepward.workflows.runs.run_task import TaskServices
    from stepward.workflows.runs.start_run import RerunWorkflow, StartWorkflow
    from stepward.workflows.services.list_runs import ListRuns

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches


class WorkflowRunServices:
    """Services of workflows' runs, each made when it is first used."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ports = container.ports

    @cached_property
    def ports(self) -> WorkflowPorts:
        """The ports that workflows' runs need."""
        from stepward.agents.run_ports import SlotPorts
        from stepward.workflows.runs.run_store import WorkflowPorts

        return WorkflowPorts(
            store=self._ports.task_store,
            runs=self._ports.workflow_runs,
            slots=self._ports.workflow_slots,
            queue=SlotPorts(self._ports.run_queue, self._ports.wake_ups, self._ports.limits),
            machines=self._ports.workflow_machines,
            tokens=self._ports.tokens,
            program=self._container.workflows.program,
            clock=self._ports.clock,
            ids=self._ports.ids,
        )

    # What callers ask for.

    @cached_property
    def start(self) -> StartWorkflow:
        """Starts runs."""
        from stepward.workflows.runs.start_checks import ChooseAnswers
        from stepward.workflows.runs.start_run import StartWorkflow

        choose_answers = ChooseAnswers(self._ports.registry.read_agents, self._container.agents.stage_answers)
        refuse_used_up = self._container.costs.refuse_used_up
        return StartWorkflow(
            self.ports, self._ports.workflow_registry, refuse_used_up, choose_answers=choose_answers
        )

    @cached_property
    def rerun(self) -> RerunWorkflow:
        """Runs again from what failed."""
        from stepward.workflows.runs.start_run import RerunWorkflow

        return RerunWorkflow(self.ports, self.start, self._ports.workflow_registry)

    @cached_property
    def list_all(self) -> ListRuns:
        """Lists runs of agents and of workflows together."""
        from stepward.workflows.services.list_runs import ListRuns

        return ListRuns(
            self._ports.run_lists, self._ports.runtime_state, self._ports.workflow_runs, self._ports.clock
        )

    @cached_property
    def end(self) -> EndRun:
        """Cancels runs, and closes those whose executions have failed."""
        from stepward.workflows.runs.end_run import EndRun

        return EndRun(self.ports, self.notify_end, self._container.runs.cancel)

    def view(self, head: WorkflowHead) -> dict[str, Any]:
        """Return a run as the API shows it, without its input and output.

        Args:
            head: The run's head.
        """
        from stepward.workflows.services.views import workflow_run_view

        return workflow_run_view(head)

    # What machines ask for.

    def execute_task(self, key: RunKey) -> ExecuteTask:
        """Make what executes tasks of one run.

        Args:
            key: Which run.
        """
        from stepward.workflows.runs.execute_task import ExecuteTask

        return ExecuteTask(self.ports, self._task_services(key))

    def finalize(self, key: RunKey) -> FinalizeRun:
        """Make what ends one run by the records of its tasks.

        Args:
            key: Which run.
        """
        from stepward.workflows.runs.finalize import FinalizeRun

        return FinalizeRun(self.ports, self._task_services(key), self.notify_end)

    @cached_property
    def chunk(self) -> RunChunk:
        """Runs slices of a large foreach in executions of their own."""
        from stepward.workflows.runs.chunks import RunChunk

        return RunChunk(self.ports)

    @cached_property
    def reconcile(self) -> ReconcileWorkflows:
        """Starts runs that never began, and closes those whose executions are gone."""
        from stepward.workflows.runs.child_runs import CallStillWaits
        from stepward.workflows.runs.reconcile import ReconcileWorkflows

        return ReconcileWorkflows(self.ports, self.end, CallStillWaits(self._container.runs.ports))

    # What runs of agents, people and callers outside ask for.

    @cached_property
    def answer_task(self) -> AnswerTask:
        """Answers tasks that wait, and resumes their runs."""
        from stepward.workflows.runs.outside_answers import AnswerTask

        return AnswerTask(self.ports, resumes=True)

    @cached_property
    def receive_call(self) -> ReceiveCall:
        """Takes calls from outside for tasks that wait for them."""
        from stepward.workflows.runs.outside_answers import AnswerTask, ReceiveCall

        return ReceiveCall(self.ports, AnswerTask(self.ports))

    @cached_property
    def start_called(self) -> StartCalled:
        """Starts the runs that agents' calls wait for."""
        from stepward.workflows.runs.child_runs import StartCalled

        return StartCalled(self._container.runs.ports, self.start)

    @cached_property
    def called(self) -> CalledWorkflows:
        """Ends the runs that agents' calls wait for."""
        from stepward.workflows.runs.child_runs import CalledWorkflows

        return CalledWorkflows(self.end)

    @cached_property
    def admit(self) -> AdmitRun:
        """Admits runs from the queue."""
        from stepward.workflows.runs.begin_run import AdmitRun

        return AdmitRun(self.ports)

    def notify_end(self, head: WorkflowHead, end: WorkflowEnd, output: Any) -> None:
        """Notify the task or call that waits for a run, and the account's bus, that it has ended.

        Args:
            head: The run.
            end: How it ended.
            output: Its output.
        """
        from stepward.workflows.runs.notify import NotifyEnd

        NotifyEnd(self._container.runs.ports, self._ports.account_bus)(head, end, output)

    def _task_services(self, key: RunKey) -> TaskServices:
        from stepward.workflows.runs.ask_person import AskForTask
        from stepward.workflows.runs.child_runs import ChildRuns
        from stepward.workflows.runs.outside_answers import callback_address
        from stepward.workflows.runs.run_task import TaskServices

        starter = ChildRuns(
            ports=self.ports,
            key=key,
            start=self._container.runs.start,
            workflows=self.start,
            ask=AskForTask(self._ports.approvals, self._container.approvals.remind, self._ports.clock),
            address=callback_address,
        )
        tools = self._container.tools.remote_context
        return TaskServices(tools=tools, put_event=partial(self.put_event, key), starter=starter)

    def put_event(self, key: RunKey, name: str, event_id: str, detail: dict[str, Any]) -> None:
        """Put an event of a workflow on the stage's bus.

        Whose it is comes from the run: nothing in the detail overrides that.

        Args:
            key: The run that puts it.
            name: The event's type.
            event_id: Its id, the same where the task is tried again.
            detail: What the task says.
        """
        from stepward.domain.triggers import WORKFLOW_EVENTS

        said = {**detail, "id": event_id, "tenant": key.tenant, "run": key.run}
        self._ports.stage_bus.put(WORKFLOW_EVENTS, name, said)
