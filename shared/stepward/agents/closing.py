"""Closes runs whose machine is gone, and starts those whose machine never came: nothing stays open by accident."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.gate import failure
from stepward.agents.pause import wake_resumed
from stepward.agents.run_ports import RunPorts
from stepward.agents.writer import RunWriter
from stepward.domain.errors import StoreConflict
from stepward.domain.journal import Admitted, Created, Inherited, Pause, Resume, Sequenced
from stepward.domain.run_state import newest_deed
from stepward.domain.runs import RunHead, RunKey, RunStatus
from stepward.ports.clock import from_iso, iso
from stepward.ports.tokens import SLOT_CALL

OVERDUE: Final = timedelta(seconds=30)
RUNS_A_SWEEP: Final = 500
TENANTS_A_SWEEP: Final = 200


@dataclass(frozen=True)
class CloseRun:
    """Ends a run by what its journal says, or as failed when the journal says nothing."""

    ports: RunPorts

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(20), reraise=True)
    def __call__(self, key: RunKey, error: str, detail: str) -> str:
        """Close one run; say how it stands now."""
        writer = RunWriter.open(self.ports, key, self.ports.ids.new("closer"))
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
    """The janitor's round over runs that are open for longer than a start takes, and over all lines."""

    ports: RunPorts

    def __call__(self) -> dict[str, int]:
        """Look at every overdue run and every line; count what was done."""
        before = iso(self.ports.clock.now() - OVERDUE)
        done = {"started": 0, "closed": 0, "left": 0, "nudged": 0}
        tenants = dict.fromkeys(self.ports.line.waiting_tenants(TENANTS_A_SWEEP))
        for head in self.ports.lists.open_runs(before, RUNS_A_SWEEP):
            if head.status is RunStatus.PENDING:
                tenants[head.tenant] = None
            done[self._mend(head)] += 1
        for tenant in tenants:
            self.ports.nudges.send(tenant)
        return {**done, "nudged": len(tenants)}

    def _mend(self, head: RunHead) -> str:
        """Start again what never began, wake what never heard, settle what has ended, close what nobody carries.

        time →   start: transaction ✓ ── ✗ dies            → the journal has no claim: start by the same name
                 dispatch: admitted ✓ ── ✗ dies            → the same; or the machine waits: wake it
                 advance: end appended ✓ ── ✗ dies for good → the journal has an end: settle
                 machine: gone, deadline passed             → nobody will go on: close as failed
        """
        newest = self._newest_deed(head)
        if newest is not None and _has_not_begun(newest):
            return self._start(head, newest)
        ended = getattr(newest.record if newest else None, "end", None) is not None
        if head.ended or ended:
            CloseRun(self.ports)(head.key, "Bug", "the run had ended.")
            return "closed"
        overdue = self.ports.clock.now() > from_iso(head.deadline_at) + OVERDUE
        waits = head.status in (RunStatus.WAITING, RunStatus.PENDING)
        if overdue and not waits and not self.ports.machine.is_running(head.execution_name):
            CloseRun(self.ports)(
                head.key, "DeadlineExceeded", "nobody carried the run any more when its deadline had passed."
            )
            return "closed"
        return "left"

    def _newest_deed(self, head: RunHead) -> Sequenced | None:
        """Find how far a run has come, past all words about pausing; one that was resumed and not woken is woken.

        time →   resume: record ✓ ── ✗ dies               → wake the machine, have the line looked at
                 start: transaction ✓ ── ✗ dies; pause ✓   → the journal has no claim: start by the same name
        """
        newest = self.ports.journal.newest(head.key)
        record = newest.record if newest else None
        if isinstance(record, Resume):
            wake_resumed(self.ports, head, record)
        if isinstance(record, Pause | Resume) and head.status is RunStatus.RUNNING:
            return newest_deed(self.ports.journal.load(head.key).records)
        return newest

    def _start(self, head: RunHead, newest: Sequenced) -> str:
        """Start a run that has a slot and no machine, or wake the machine that waits for the slot."""
        record = newest.record
        if isinstance(record, Created | Inherited) and head.status is RunStatus.PENDING:
            return "left"
        token = self.ports.tokens.of(head.key, SLOT_CALL) if isinstance(record, Admitted) else None
        if token:
            self.ports.machine.answer(token)
        self.ports.machine.start(head.execution_name, head.key)
        return "started"


def _has_not_begun(newest: Sequenced) -> bool:
    """Whether nobody has done anything since the run was started or admitted."""
    return isinstance(newest.record, Created | Inherited | Admitted)
