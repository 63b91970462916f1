"""Cancels a run: no call that is made once begins after the caller has the answer."""

from __future__ import annotations

from dataclasses import dataclass

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.show import find_run
from stepward.agents.writer import RunWriter
from stepward.domain.errors import Conflict, RunCancelled, StoreConflict
from stepward.domain.journal import Cancel, End
from stepward.domain.runs import RunError, RunHead, RunStatus
from stepward.ports.clock import Clock, Ids
from stepward.ports.journal import Journal
from stepward.ports.machines import RunMachine
from stepward.ports.runtime_state import RuntimeState


@dataclass(frozen=True)
class CancelRun:
    """The use case behind `POST /runs/{run_id}/cancel`."""

    journal: Journal
    runtime: RuntimeState
    machine: RunMachine
    clock: Clock
    ids: Ids

    def __call__(self, tenant: str, run: str, by: str) -> RunHead:
        """End the run as cancelled, stop its execution, and answer its head; once more is the same.

        time →   advance:   load ── model call ── append(n+1) ✗ → books the reply as late, leaves
                 cancel:            append(n+1) ✓ append(n+2) ✓ close the head, stop the execution
        """
        head = find_run(self.runtime, tenant, run)
        if not head.ended:
            self._write(head, by)
            head = find_run(self.runtime, tenant, run)
        if head.status is not RunStatus.CANCELLED:
            raise Conflict(
                f"the run has ended as {head.status}.", field="run_id", fix="nothing is left to cancel"
            )
        self.machine.stop(head.execution_name, RunCancelled.__name__, f"cancelled by {by}")
        return head

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(20), reraise=True)
    def _write(self, head: RunHead, by: str) -> None:
        writer = RunWriter.open(self.journal, self.runtime, self.clock, head.key, self.ids.new("cancel"))
        if writer.state.end is None and writer.state.cancelled is None:
            writer.append(writer.make(Cancel, by=by))
        reason = RunError(code=RunCancelled.__name__, detail=f"cancelled by {by}.")
        writer.end(End(status=RunStatus.CANCELLED, error=reason))
