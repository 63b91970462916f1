"""Runs of workflows, for those who look after agents' runs; what that needs is loaded when the first of them comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepward.runtime import wiring, workflow_wiring

if TYPE_CHECKING:
    from stepward.domain.conversation import ToolCall
    from stepward.domain.run_queue import QueuedRun
    from stepward.domain.run_state import RunState
    from stepward.domain.runs import RunKey
    from stepward.ports.runs import NoSlot, SlotLimits
    from stepward.tools.base import BoundTool
    from stepward.workflows.runs.called_runs import CalledWorkflows

# ruff: noqa: PLC0415  imports on first use: most agents run no workflow


class ChildrenOfCalls:
    """The runs of workflows that agents' calls wait for."""

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """End a run."""
        _called().cancel(tenant, run, by)

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Let nothing more begin in a run."""
        _called().abandon(tenant, run, by)

    def admit(self, waiting: QueuedRun, limits: SlotLimits) -> bool | NoSlot:
        """Admit a run from the queue."""
        from stepward.workflows.runs.begin_run import AdmitRun

        return AdmitRun(workflow_wiring.ports())(waiting, limits)


def open_call(key: RunKey, state: RunState, call: ToolCall, tool: BoundTool) -> None:
    """Open a call of the tool `workflow`."""
    from stepward.workflows.runs.called_runs import StartCalled

    StartCalled(wiring.run_ports(), workflow_wiring.start_case())(key, state, call, tool)


def _called() -> CalledWorkflows:
    from stepward.workflows.runs.called_runs import CalledWorkflows

    return CalledWorkflows(workflow_wiring.end_case())
