"""Cancels a run and those that it waits for: no call that is made once begins after the caller has the answer."""

from __future__ import annotations

from dataclasses import dataclass

from stepward.agents.children import children_of
from stepward.agents.gate import cancelled
from stepward.agents.run_ports import RunPorts
from stepward.agents.show import find_run
from stepward.agents.writer import RunWriter
from stepward.domain.errors import Conflict, RunCancelled
from stepward.domain.journal import Cancel
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunHead, RunKey, RunStatus


@dataclass(frozen=True)
class CancelRun:
    """The use case behind `POST /runs/{run_id}/cancel`."""

    ports: RunPorts

    def __call__(self, tenant: str, run: str, by: str) -> RunHead:
        """End the run as cancelled, stop its execution, and answer its head; once more is the same.

        time →   advance:   load ── model call ── append(n+1) ✗ → books the reply as late, leaves
                 cancel:            append(n+1) ✓ append(n+2) ✓ settle, stop the execution
        """
        head = find_run(self.ports.runtime, tenant, run)
        state = None if head.ended else self._write(head, by)
        if state is not None:
            head = find_run(self.ports.runtime, tenant, run)
        if head.status is not RunStatus.CANCELLED:
            raise Conflict(
                f"the run has ended as {head.status}.", field="run_id", fix="nothing is left to cancel"
            )
        self.ports.machine.stop(head.execution_name, RunCancelled.__name__, f"cancelled by {by}")
        self._cancel_children(tenant, state or RunWriter.open(self.ports, head.key, by).state, by)
        return head

    def _cancel_children(self, tenant: str, state: RunState, by: str) -> None:
        """Cancel whom the run waits for, and so on down; one that ends meanwhile needs no cancelling.

        time →   dispatch: mark ✓ ─ start the child            we: end ✓ ─ read marks ─ cancel what has begun
                 a child that begins after that sees at its first step that its parent has ended
        """
        for child in children_of(state):
            found = self.ports.runtime.head(RunKey(tenant=tenant, run=child))
            if found is None:
                self.ports.workflows.cancel(tenant, child, by)
            if found is None or found.ended:
                continue
            try:
                self(tenant, child, by)
            except Conflict:
                continue

    def _write(self, head: RunHead, by: str) -> RunState:
        writer = RunWriter.open(self.ports, head.key, self.ports.ids.new("cancel"))
        writer.between_steps(lambda: _end(writer, by))
        writer.refresh_calls()
        return writer.state


def _end(writer: RunWriter, by: str) -> None:
    if writer.state.end is None and writer.state.cancelled is None:
        writer.append(writer.make(Cancel, by=by))
    reason = writer.state.cancelled or writer.make(Cancel, by=by)
    writer.end(cancelled(reason))
