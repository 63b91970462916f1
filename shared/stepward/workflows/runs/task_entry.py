"""Hold one entry of a task's state, and the one way in which it ends."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from stepward.domain.errors import Bug, StepwardError, TaskFailed, TaskTimedOut
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.runs import RunError
from stepward.domain.slot_state import SlotState
from stepward.domain.task_records import TaskRecord, TaskStatus
from stepward.ports.clock import iso
from stepward.workflows.program.names import at_depth
from stepward.workflows.program.tasks import fails_the_run
from stepward.workflows.runs.resolve_inputs import with_fallback
from stepward.workflows.runs.run_store import TaskRecorder, WorkflowPorts, failed
from stepward.workflows.runs.run_view import RunView
from stepward.workflows.runs.slots import RunSlot
from stepward.workflows.runs.task_requests import TaskRequest

_PASSING: Final = frozenset({TaskTimedOut.__name__, "TaskCrashed"})
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class TaskEntry:
    """A state was entered for a task; everything is kept before the machine hears of it."""

    ports: WorkflowPorts
    request: TaskRequest
    program: Program
    view: RunView
    since: datetime
    """When this invocation began, so that its record can tell how long it took."""
    stood: SlotState | None = None
    """How the run stood towards its slot when it did."""

    @property
    def planned(self) -> PlannedTask:
        """The task as it was compiled."""
        return self.view.planned

    @property
    def now(self) -> str:
        """The time."""
        return iso(self.ports.clock.now())

    @property
    def attempt(self) -> int:
        """Which attempt this is, counted from 1."""
        return self.request.tries + 1

    @property
    def at(self) -> str:
        """The round that the task itself is in; its body's own rounds are deeper."""
        return at_depth(self.request.at, self.planned.depth)

    def release_slot(self) -> None:
        """Let the run wait without its slot, before anybody is asked."""
        RunSlot(self.ports, self.view.key).wait(self.stood, str(self.view.task))

    def passed_on(self, **more: Any) -> dict[str, Any]:
        """Return what the next state is given."""
        return {**({"at": self.at} if self.planned.depth or "at" in more else {}), **more}

    def keep(self, record: TaskRecord) -> TaskRecord:
        """Keep the record, or find the one that is there, and free whoever waits for it."""
        if self.view.own is None:
            took = self.ports.clock.now() - self.since
            took_ms = max(0, round(took.total_seconds() * 1000))
            record = record.model_copy(update={"took_ms": took_ms, "entries": self.request.tries + 1})
        return TaskRecorder(self.ports, self.view.key, self.program)(self.planned, self.at, record)

    def finish(self, record: TaskRecord) -> dict[str, Any]:
        """Keep the record, then say what the machine does: go on, or end the run."""
        kept = self.keep(record)
        is_failure = kept.status is TaskStatus.FAILED and fails_the_run(self.program, self.planned)
        if self.request.token is not None:
            wake(self.ports, self.request.token, kept, fails=is_failure)
        elif is_failure:
            raise TaskFailed(failure_text(kept))
        return self.passed_on()

    def fail(
        self, error: StepwardError | RunError, *, attempt: int | None = None, started_at: str | None = None
    ) -> dict[str, Any]:
        """End the task as failed, or with what stands in for its output; a fault of ours is also told to us."""
        if isinstance(error, Bug):
            _LOG.error("%s failed by a fault of the platform", self.view.task, exc_info=error)
        told = error if isinstance(error, RunError) else RunError(code=error.code, detail=error.detail)
        begun = self.view.begun
        record = failed(
            told,
            attempt=attempt or self.attempt,
            started_at=begun[0].at if begun else started_at or self.now,
            ended_at=self.now,
            cost_usd_micros=begun[-1].before_usd_micros if begun else 0,
            runs_aws_usd_micros=begun[-1].before_aws_usd_micros if begun else 0,
            error_status=getattr(error, "status", None),
            error_retryable=is_retryable(error),
        )
        return self.finish(with_fallback(record, self.view))


def wake(ports: WorkflowPorts, token: str, record: TaskRecord, *, fails: bool) -> bool:
    """End an awaited task's state by its record; False for whoever comes second, which is no harm."""
    if fails:
        return ports.machines.refuse(token, TaskFailed.__name__, failure_text(record))
    return ports.machines.answer(token)


def is_retryable(error: StepwardError | RunError) -> bool:
    """Return whether another attempt might go well: by the error's kind, or by the name of one that a state was told."""
    return error.retryable if isinstance(error, StepwardError) else error.code in _PASSING


def failure_text(record: TaskRecord) -> str:
    """Say in one line why a task failed."""
    error = record.error
    return f"{error.code}: {error.detail}"[:1_000] if error else "the task failed"
