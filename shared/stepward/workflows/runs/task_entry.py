"""One entry of a task's state, and how it ends."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from stepward.domain.errors import Bug, StepwardError, TaskFailed, TaskTimedOut
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.run_queue import SlotState
from stepward.domain.runs import RunError
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
    """An entry of a task's state; an outcome is recorded before the machine continues."""

    ports: WorkflowPorts
    request: TaskRequest
    program: Program
    view: RunView
    since: datetime
    """When this invocation began, from which its record has the duration."""
    slot_state: SlotState | None = None
    """The run's slot state at that time."""

    @property
    def planned(self) -> PlannedTask:
        """The compiled task."""
        return self.view.planned

    @property
    def now(self) -> str:
        """The current time, as ISO 8601."""
        return iso(self.ports.clock.now())

    @property
    def attempt(self) -> int:
        """The number of this attempt, counted from 1."""
        return self.request.tries + 1

    @property
    def at(self) -> str:
        """The iteration that the task is in; those of its own body are deeper."""
        return at_depth(self.request.at, self.planned.depth)

    def release_slot(self) -> None:
        """Release the run's slot before a wait begins."""
        RunSlot(self.ports, self.view.key).wait(self.slot_state, str(self.view.task))

    def next_input(self, **more: Any) -> dict[str, Any]:
        """Return the input of the next state."""
        return {**({"at": self.at} if self.planned.depth or "at" in more else {}), **more}

    def keep(self, record: TaskRecord) -> TaskRecord:
        """Record an outcome, of which the first stays, and free the awaits that it completes."""
        if self.view.own is None:
            took = self.ports.clock.now() - self.since
            took_ms = max(0, round(took.total_seconds() * 1000))
            record = record.model_copy(update={"took_ms": took_ms, "entries": self.request.tries + 1})
        return TaskRecorder(self.ports, self.view.key, self.program)(self.planned, self.at, record)

    def finish(self, record: TaskRecord) -> dict[str, Any]:
        """Record an outcome, then continue the machine or end the run."""
        kept = self.keep(record)
        is_failure = kept.status is TaskStatus.FAILED and fails_the_run(self.program, self.planned)
        if self.request.token is not None:
            wake(self.ports, self.request.token, kept, fails=is_failure)
        elif is_failure:
            raise TaskFailed(failure_text(kept))
        return self.next_input()

    def fail(
        self, error: StepwardError | RunError, *, attempt: int | None = None, started_at: str | None = None
    ) -> dict[str, Any]:
        """End the task as failed, or with its fallback; an error of the platform is also logged."""
        if isinstance(error, Bug):
            _LOG.error("%s failed by a fault of the platform", self.view.task, exc_info=error)
        cause = error if isinstance(error, RunError) else RunError(code=error.code, detail=error.detail)
        begun = self.view.begun
        record = failed(
            cause,
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
    """End an awaited task's state by its record; False if it has ended already."""
    if fails:
        return ports.machines.refuse(token, TaskFailed.__name__, failure_text(record))
    return ports.machines.answer(token)


def is_retryable(error: StepwardError | RunError) -> bool:
    """Return whether another attempt might succeed."""
    return error.retryable if isinstance(error, StepwardError) else error.code in _PASSING


def failure_text(record: TaskRecord) -> str:
    """Return a task's error in one line."""
    error = record.error
    return f"{error.code}: {error.detail}"[:1_000] if error else "the task failed"
