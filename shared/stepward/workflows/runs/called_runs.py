"""Start the workflow runs that agents' calls wait for, and end them with these."""

from __future__ import annotations

from dataclasses import dataclass

from stepward.agents.answering import answers_of
from stepward.agents.children import share_of_child, start_once
from stepward.agents.run_ports import RunPorts
from stepward.domain.conversation import ToolCall
from stepward.domain.errors import Conflict
from stepward.domain.run_origins import Caller, above_workflow
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunKey
from stepward.domain.task_records import WorkflowHead, WorkflowParent
from stepward.tools.arguments import read_arguments
from stepward.tools.base import BoundTool
from stepward.tools.workflow import Given
from stepward.workflows.runs.end_run import EndRun
from stepward.workflows.runs.start_checks import startable_workflow
from stepward.workflows.runs.start_run import StartWorkflow, WorkflowLaunch


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
