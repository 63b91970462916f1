"""Reach runs of workflows from runs of agents; what that needs is loaded on first use.

Most runs of agents have nothing to do with workflows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepward.domain.conversation import ToolCall
    from stepward.domain.run_queue import QueuedRun
    from stepward.domain.run_state import RunState
    from stepward.domain.runs import RunKey
    from stepward.domain.task_records import TaskPlace, TaskRecord
    from stepward.ports.run_queue import NoSlot, SlotLimits
    from stepward.ports.tasks import TaskOutcome
    from stepward.runtime.container import Container
    from stepward.tools.base import BoundTool


class DeferredWorkflows:
    """Tasks that wait for agents and people, and workflow runs that agents' calls wait for."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        """Answer a task that waits."""
        return self._container.workflow_runs.answer_task.answer(tenant, run, place, outcome)

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        """Return whether a task still waits."""
        return self._container.workflow_runs.answer_task.waits(tenant, run, place)

    def start_called(self, key: RunKey, state: RunState, call: ToolCall, tool: BoundTool) -> None:
        """Start the run that a call of the tool `workflow` waits for."""
        self._container.workflow_runs.start_called(key, state, call, tool)

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """Cancel a run."""
        self._container.workflow_runs.called.cancel(tenant, run, by)

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Begin nothing more in a run."""
        self._container.workflow_runs.called.abandon(tenant, run, by)

    def admit(self, waiting: QueuedRun, limits: SlotLimits) -> bool | NoSlot:
        """Admit a run from the queue."""
        return self._container.workflow_runs.admit(waiting, limits)
