"""Closes runs whose machine is gone, and starts those whose machine never came: nothing stays open by accident."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.gate import failure
from stepward.agents.writer import RunWriter
from stepward.domain.errors import StoreConflict
from stepward.domain.journal import Created
from stepward.domain.runs import RunHead, RunKey
from stepward.ports.clock import Clock, Ids, from_iso, iso
from stepward.ports.journal import Journal
from stepward.ports.machines import RunMachine
from stepward.ports.runtime_state import RuntimeState

OVERDUE: Final = timedelta(seconds=30)
RUNS_A_SWEEP: Final = 500


@dataclass(frozen=True)
class CloseRun:
    """Ends a run by what its journal says, or as failed when the journal says nothing."""

    journal: Journal
    runtime: RuntimeState
    clock: Clock
    ids: Ids

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(20), reraise=True)
    def __call__(self, key: RunKey, error: str, detail: str) -> str:
        """Close one run; say how it stands now."""
        writer = RunWriter.open(self.journal, self.runtime, self.clock, key, self.ids.new("closer"))
        writer.end(failure(error, detail))
        return str(writer.state.end.status) if writer.state.end else "open"


def run_of_event(event: dict[str, Any]) -> tuple[RunKey, str, str]:
    """Read a status-change event of Step Functions: whose run it was, the error's name, and the detail."""
    change = event["detail"]
    payload = json.loads(change["input"])
    error = change.get("error") or {"TIMED_OUT": "States.Timeout"}.get(change["status"], "ExecutionStopped")
    detail = f"the execution ended as {change['status']}: {change.get('cause') or 'no cause given'}"
    return RunKey(tenant=payload["tenant"], run=payload["run"]), error, detail[:1_000]


@dataclass(frozen=True)
class Sweep:
    """The janitor's round over runs that are open for longer than a start takes."""

    journal: Journal
    runtime: RuntimeState
    machine: RunMachine
    clock: Clock
    close: CloseRun

    def __call__(self) -> dict[str, int]:
        """Look at every overdue run; count what was done."""
        before = iso(self.clock.now() - OVERDUE)
        done = {"started": 0, "closed": 0, "left": 0}
        for head in self.runtime.open_runs(before, RUNS_A_SWEEP):
            done[self._mend(head)] += 1
        return done

    def _mend(self, head: RunHead) -> str:
        """Start again what never began, settle what has ended, close what nobody carries any more.

        time →   start: transaction ✓ ── ✗ dies            → the journal has one record: start by the same name
                 advance: end appended ✓ ── ✗ dies for good → the journal has an end: settle
                 machine: gone, deadline passed             → nobody will go on: close as failed
        """
        newest = self.journal.newest(head.key)
        if newest is not None and isinstance(newest.record, Created):
            self.machine.start(head.execution_name, head.key)
            return "started"
        if getattr(newest.record if newest else None, "end", None) is not None:
            self.close(head.key, "Bug", "the run had ended.")
            return "closed"
        overdue = self.clock.now() > from_iso(head.deadline_at) + OVERDUE
        if overdue and not self.machine.is_running(head.execution_name):
            self.close(
                head.key, "DeadlineExceeded", "nobody carried the run any more when its deadline had passed."
            )
            return "closed"
        return "left"
