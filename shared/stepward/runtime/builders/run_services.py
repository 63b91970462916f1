"""Make the services of agents' runs and of their approvals."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stepward.agents.advance import Advance
    from stepward.agents.approval_reminders import RemindApprovers
    from stepward.agents.approvals import DecideApproval, ShowApprovals
    from stepward.agents.diff_runs import DiffRuns
    from stepward.agents.fork import ForkRun
    from stepward.agents.reconcile import CloseRun, ReconcileRuns
    from stepward.agents.run_control import CancelRun, PauseRun, ResumeRun
    from stepward.agents.run_ports import RunPorts
    from stepward.agents.show_runs import ShowRuns
    from stepward.agents.start import Start
    from stepward.agents.waits import OpenWait
    from stepward.domain.runs import RunHead
    from stepward.runtime.container import Container


# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches
class RunServices:
    """Services of agents' runs, each made when it is first used."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ports = container.ports

    @cached_property
    def ports(self) -> RunPorts:
        """The ports that runs need."""
        from stepward.agents.run_ports import RunPorts
        from stepward.runtime.builders.deferred_prompts import DeferredPrompts
        from stepward.runtime.builders.deferred_workflows import DeferredWorkflows

        workflows = DeferredWorkflows(self._container)
        return RunPorts(
            journal=self._ports.journal,
            runtime=self._ports.runtime_state,
            lists=self._ports.run_lists,
            run_queue=self._ports.run_queue,
            tokens=self._ports.tokens,
            approvals=self._ports.approvals,
            wake_ups=self._ports.wake_ups,
            machine=self._ports.run_machine,
            limits=self._ports.limits,
            clock=self._ports.clock,
            ids=self._ports.ids,
            tasks=workflows,
            workflows=workflows,
            prompts=DeferredPrompts(self._container),
        )

    # What callers ask for.

    @cached_property
    def start(self) -> Start:
        """Starts runs."""
        from stepward.agents.start import Start

        return Start(
            self.ports,
            self._ports.registry,
            self._container.costs.refuse_over_budget,
            self._container.agents.stage_answers,
            lambda: self._ports.datasets,
        )

    @cached_property
    def fork(self) -> ForkRun:
        """Forks runs."""
        from stepward.agents.fork import ForkRun

        return ForkRun(self.start, self._container.agents.definition, self._ports.agreed_prices.of)

    @cached_property
    def show(self) -> ShowRuns:
        """Shows runs and their events."""
        from stepward.agents.show_runs import ShowRuns

        return ShowRuns(self._ports.journal, self._ports.runtime_state)

    def new_view(self, head: RunHead, given: Any) -> dict[str, Any]:
        """Return a run that was started this moment as the API shows it; nothing has to be read.

        Args:
            head: The run's head.
            given: The run's input.
        """
        from stepward.agents.show_runs import new_run_view

        return new_run_view(head, given)

    @cached_property
    def diff(self) -> DiffRuns:
        """Compares two runs."""
        from stepward.agents.diff_runs import DiffRuns

        return DiffRuns(self._ports.journal, self._ports.runtime_state)

    @cached_property
    def cancel(self) -> CancelRun:
        """Cancels runs."""
        from stepward.agents.run_control import CancelRun

        return CancelRun(self.ports)

    @cached_property
    def pause(self) -> PauseRun:
        """Pauses runs."""
        from stepward.agents.run_control import PauseRun

        return PauseRun(self.ports)

    @cached_property
    def resume(self) -> ResumeRun:
        """Resumes runs."""
        from stepward.agents.run_control import ResumeRun

        return ResumeRun(self.ports)

    # What machines and queues ask for.

    def advance(self, invocation: str, time_left_s: Callable[[], float]) -> Advance:
        """Make what advances a run within one invocation.

        Args:
            invocation: The invocation's id, by which the journal tells writers apart.
            time_left_s: How long the function may still run, in seconds.
        """
        from stepward.agents.advance import Advance
        from stepward.agents.continue_as_new import MOST_EVENTS

        return Advance(
            ports=self.ports,
            call_limits=self._container.models.call_limits,
            latest=self._container.agents.latest_version,
            context=self._container.tools.inline_context,
            invocation=invocation,
            time_left_s=time_left_s,
            most_events=self._container.settings.epoch_events or MOST_EVENTS,
        )

    def serve_queues(
        self, freed: Mapping[str, int | None], invocation: str, time_left_s: Callable[[], float]
    ) -> int:
        """Admit queued runs of tenants.

        Args:
            freed: How many slots were freed by tenant; None where all of its queue is to be looked at.
            invocation: The invocation's id, by which the journal tells writers apart.
            time_left_s: How long the function may still run, in seconds.

        Returns:
            How many runs were admitted.
        """
        from stepward.agents.dispatch import DispatchRuns, serve_each

        return serve_each(DispatchRuns(self.ports, invocation, time_left_s), freed)

    @cached_property
    def open_wait(self) -> OpenWait:
        """Opens what a run waits for."""
        from stepward.agents.waits import OpenWait, openers_of
        from stepward.runtime.builders.deferred_workflows import DeferredWorkflows
        from stepward.tools.workflow import RunWorkflow

        own = openers_of(self.ports, self._ports.registry, self._ports.account_bus)
        openers = {**own, RunWorkflow.name: DeferredWorkflows(self._container).start_called}
        return OpenWait(self.ports, self._container.agents.definition, openers)

    @cached_property
    def close(self) -> CloseRun:
        """Closes runs whose executions have failed."""
        from stepward.agents.reconcile import CloseRun

        return CloseRun(self.ports)

    @cached_property
    def reconcile(self) -> ReconcileRuns:
        """Starts runs that never began, and closes those whose executions are gone."""
        from stepward.agents.reconcile import ReconcileRuns

        return ReconcileRuns(self.ports)


# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches
class ApprovalServices:
    """Services of approvals, each made when it is first used."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ports = container.ports

    @cached_property
    def show(self) -> ShowApprovals:
        """Lists and shows approvals."""
        from stepward.agents.approvals import ShowApprovals

        return ShowApprovals(self._ports.approvals, self._ports.journal, self._ports.clock)

    @cached_property
    def decide(self) -> DecideApproval:
        """Takes decisions."""
        from stepward.agents.approvals import DecideApproval
        from stepward.runtime.builders.deferred_workflows import DeferredWorkflows

        return DecideApproval(
            approvals=self._ports.approvals,
            journal=self._ports.journal,
            runtime=self._ports.runtime_state,
            tokens=self._ports.tokens,
            machine=self._ports.run_machine,
            clock=self._ports.clock,
            tasks=DeferredWorkflows(self._container),
        )

    @cached_property
    def remind(self) -> RemindApprovers:
        """Reminds of open approvals, escalates them, and ends those that are overdue."""
        from stepward.agents.approval_reminders import RemindApprovers
        from stepward.runtime.builders.deferred_workflows import DeferredWorkflows

        return RemindApprovers(
            self._ports.approvals,
            self._ports.tokens,
            self._ports.run_machine,
            self._ports.account_bus,
            self._ports.clock,
            DeferredWorkflows(self._container),
        )
