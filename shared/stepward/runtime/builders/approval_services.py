"""Make the services of approvals: what people are asked and decide."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepward.agents.approval_reminders import RemindApprovers
    from stepward.agents.approvals import DecideApproval, ShowApprovals
    from stepward.runtime.container import Container

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
