"""Ends runs for whose answers nobody waits any more, so that they spend nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stepward.agents.children import children_of
from stepward.agents.run_ports import RunPorts
from stepward.agents.writer import RunWriter
from stepward.domain.journal import End, Ended
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunError, RunKey, RunStatus
from stepward.ports.tokens import SLOT_CALL

ORPHANED: Final = RunError(code="RunCancelled", detail="the run that waited for this one has ended.")


@dataclass(frozen=True)
class EndOrphans:
    """Ends whom a run waited for, and so on down; their machines see it at their next step, or are woken to see it."""

    ports: RunPorts

    def __call__(self, tenant: str, state: RunState, reason: RunError) -> None:
        """End every child that has not ended; its end is its answer, with what it has cost.

        time →   dispatch: mark ✓ ─ start the child            we: read marks ─ end what has begun
                 a child that begins after that sees at its first step that nobody waits for it
        """
        for child in children_of(state):
            key = RunKey(tenant=tenant, run=child)
            head = self.ports.runtime.head(key)
            if head is None:
                self.ports.workflows.abandon(tenant, child, "the platform")
            elif not head.ended:
                self._end(key, reason)

    def _end(self, key: RunKey, reason: RunError) -> None:
        writer = RunWriter.open(self.ports, key, self.ports.ids.new("closer"))
        writer.between_steps(lambda: _write_end(writer, reason))
        writer.refresh_calls()
        self(key.tenant, writer.state, ORPHANED)
        writer.refresh_calls()  # what those below have cost is part of what this one has cost
        writer.between_steps(writer.settle)
        self._wake(key, writer.state)

    def _wake(self, key: RunKey, state: RunState) -> None:
        for call in (*(state.parked.calls if state.parked else ()), SLOT_CALL):
            token = self.ports.tokens.of(key, call)
            if token:
                self.ports.machine.answer(token)


def _write_end(writer: RunWriter, reason: RunError) -> None:
    if writer.state.end is None:
        writer.append(writer.make(Ended, end=End(status=RunStatus.CANCELLED, error=reason)))
