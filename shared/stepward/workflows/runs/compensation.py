"""Compensate a failed run: one execution undoes its completed tasks, the last one first."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from stepward.domain.errors import PlatformFault, StepwardError, TaskFailed
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.run_origins import Compensation
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import TaskKey, TaskPlace, TaskRecord, WorkflowHead
from stepward.ports.clock import from_iso, iso
from stepward.ports.tasks import Begun, LatchKey, RunSnapshot
from stepward.tasks.catalog import find_type
from stepward.tasks.context import TaskContext
from stepward.workflows.program.limits import MOST_COMPENSATIONS
from stepward.workflows.runs.resolve_inputs import ready
from stepward.workflows.runs.run_store import WorkflowPorts, completed, failed
from stepward.workflows.runs.run_task import TaskServices
from stepward.workflows.runs.run_view import RunView

COMPENSATION_CLAIM: Final = TaskKey(path="~undoing")
"""The key of the claim: its latest mark names the execution that compensates, "" the run's own."""

CLAIMED_ELSEWHERE: Final = "another execution undoes the run"

CLAIM_DURATION: Final = timedelta(seconds=1_900)
"""How long a claim is valid: six tries of the last state, 310 s each, with their pauses."""


def tasks_to_compensate(program: Program, snapshot: RunSnapshot) -> list[TaskKey]:
    """List the completed tasks that are still to be compensated, the last one first."""
    left = [
        (record.ended_at, task)
        for task, record in snapshot.records.items()
        if record.is_well
        and _has_compensation(program, task)
        and compensation_key(task) not in snapshot.records
    ]
    return [task for _, task in sorted(left, key=lambda one: one[0], reverse=True)]


def _has_compensation(program: Program, task: TaskKey) -> bool:
    planned = program.tasks.get(task.path)
    return planned is not None and planned.task.compensate is not None


def compensation_key(task: TaskKey) -> TaskKey:
    """Return the key of a task's compensation."""
    return TaskKey(path=f"{task.path}~undone", at=task.at)


def latest_claim(snapshot: RunSnapshot) -> Begun | None:
    """Return the latest claim of the compensation."""
    return max(snapshot.begun.get(COMPENSATION_CLAIM, ()), key=lambda mark: mark.attempt, default=None)


def claim_compensation(ports: WorkflowPorts, key: RunKey) -> None:
    """Claim the compensation for the run's own last state, which then compensates or ends.

    Raises:
        TaskFailed: Another execution has claimed it.

    time →   settle: mark 1 ✓ ─ undoes, ends     close: finds mark 1, young → leaves it to the settling
             close: mark 1 ✓ ─ starts            settle: mark 1 ✗, it names another execution → ends nothing
    """
    mark, _ = ports.store.begin(key, COMPENSATION_CLAIM, Begun(attempt=1, at=iso(ports.clock.now())))
    if mark.child:
        raise TaskFailed(CLAIMED_ELSEWHERE)


@dataclass(frozen=True)
class StartCompensation:
    """Starts the execution that compensates a run, at most `MOST_COMPENSATIONS` times.

    Safe to repeat.
    """

    ports: WorkflowPorts

    def __call__(self, head: WorkflowHead, program: Program, error: RunError) -> bool:
        """Return whether the run is being compensated; False if nothing is left, or no try is.

        time →   event: mark ✓ ─ ✗ dies            event again, janitor: the mark is young → started by its name, once
                 execution: ✗, or never heard of     1,900 s later: the next mark ─ the next execution ─ does what is left
        """
        snapshot = self.ports.store.full_snapshot(head.key)
        if snapshot.cancelled_by or not tasks_to_compensate(program, snapshot):
            return False
        mark = latest_claim(snapshot)
        if mark is None or from_iso(mark.at) + CLAIM_DURATION < self.ports.clock.now():
            attempt = mark.attempt + 1 if mark else 1
            if attempt > MOST_COMPENSATIONS:
                return False
            named = Begun(attempt=attempt, at=iso(self.ports.clock.now()), child=f"undo{attempt}")
            mark, _ = self.ports.store.begin(head.key, COMPENSATION_CLAIM, named)
        if mark.child:
            self.ports.machines.start(head, undoing=Compensation(name=mark.child, error=error))
        return True


_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compensate:
    """Runs compensations one after another, and records each, so that none is repeated."""

    ports: WorkflowPorts
    services: TaskServices

    def __call__(
        self, key: RunKey, program: Program, snapshot: RunSnapshot, apart: Compensation | None = None
    ) -> RunSnapshot:
        """Compensate, and return the run's records afterwards.

        A compensation that fails is recorded, and the others run all the same; so do those of tasks that completed
        meanwhile. `apart` is set in an execution that was started for this only.
        """
        while left := tasks_to_compensate(program, snapshot):
            for task in left:
                if self._holds_claim(key, compensation_key(task), apart):
                    self._compensate(key, program, snapshot, task, compensation_key(task))
            snapshot = self.ports.store.full_snapshot(key)
        return snapshot

    def _holds_claim(self, key: RunKey, undoing: TaskKey, apart: Compensation | None) -> bool:
        """Check the claim before each task: another execution may have it by now."""
        now = self.ports.store.snapshot(key, [LatchKey(undoing.path, undoing.at)], [COMPENSATION_CLAIM])
        mark = latest_claim(now)
        if mark is None or mark.child != (apart and apart.name):
            raise TaskFailed(CLAIMED_ELSEWHERE)
        return undoing not in now.records

    def _compensate(
        self, key: RunKey, program: Program, snapshot: RunSnapshot, task: TaskKey, undoing: TaskKey
    ) -> None:
        planned = program.tasks[task.path]
        assert planned.task.compensate is not None
        # What undoes a task may say what the task itself brought.
        reads = {**planned.reads, planned.task.id: task.path}
        own = planned.model_copy(update={"task": planned.task.compensate, "reads": reads})
        view = RunView(self.ports, key, program, own, task.at, snapshot)
        record = self._attempt(view, own, undoing)
        self.ports.store.keep(key, LatchKey(undoing.path, undoing.at), undoing.path, record)

    def _attempt(self, view: RunView, own: PlannedTask, undoing: TaskKey) -> TaskRecord:
        started_at = iso(self.ports.clock.now())
        try:
            given = ready(view, own.task)
            context = self._context(view, undoing, started_at)
            done = find_type(own.task.type).run(given, context)
        except PlatformFault:
            raise
        except StepwardError as error:
            _LOG.error("%s could not be undone: %s", undoing, error.detail)
            cause = RunError(code=error.code, detail=error.detail)
            return failed(cause, attempt=1, started_at=started_at, ended_at=iso(self.ports.clock.now()))
        ended_at = iso(self.ports.clock.now())
        record = completed(done.output, attempt=1, started_at=started_at, ended_at=ended_at)
        return record.model_copy(update={"cost_usd_micros": done.cost_usd_micros})

    def _context(self, view: RunView, undoing: TaskKey, started_at: str) -> TaskContext:
        place = TaskPlace(
            workflow=view.started.workflow,
            version=view.started.version,
            path=undoing.path,
            at=undoing.at,
            started_at=started_at,
        )
        services = self.services
        return TaskContext(view.key, undoing, place, services.tools, services.put_event, services.starter)
