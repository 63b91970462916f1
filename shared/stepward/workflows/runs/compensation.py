"""Compensate a failed run: undo its completed tasks, the last one first."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from stepward.domain.errors import PlatformFault, StepwardError, TaskFailed
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.run_origins import Compensation
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import TaskKey, TaskPlace, TaskRecord
from stepward.ports.clock import iso
from stepward.ports.tasks import LatchKey, RunSnapshot
from stepward.tasks.catalog import find_type
from stepward.tasks.context import TaskContext
from stepward.workflows.runs.compensation_lock import (
    RIGHT,
    UNDONE_ELSEWHERE,
    holder,
    left_to_undo,
    undone_key,
)
from stepward.workflows.runs.resolve_inputs import ready
from stepward.workflows.runs.run_inline import TaskServices
from stepward.workflows.runs.run_store import WorkflowPorts, completed, failed
from stepward.workflows.runs.run_view import RunView

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compensate:
    """Runs compensations one after another; each is kept, so that a second settling does not run it again."""

    ports: WorkflowPorts
    world: TaskServices

    def __call__(
        self, key: RunKey, program: Program, looked: RunSnapshot, apart: Compensation | None = None
    ) -> RunSnapshot:
        """Undo, and tell how the run stands then; `apart` says that this is an execution begun for nothing else.

        What cannot be undone is kept as failed, and the others are undone all the same; so is what has completed
        meanwhile.
        """
        while left := left_to_undo(program, looked):
            for task in left:
                if self._is_ours_to_undo(key, undone_key(task), apart):
                    self._undo(key, program, looked, task, undone_key(task))
            looked = self.ports.store.everything(key)
        return looked

    def _is_ours_to_undo(self, key: RunKey, undoing: TaskKey, apart: Compensation | None) -> bool:
        """Look once more before each: another may have undone it, or have been given the right to."""
        now = self.ports.store.look(key, [LatchKey(undoing.path, undoing.at)], [RIGHT])
        mark = holder(now)
        if mark is None or mark.child != (apart and apart.name):
            raise TaskFailed(UNDONE_ELSEWHERE)
        return undoing not in now.records

    def _undo(
        self, key: RunKey, program: Program, looked: RunSnapshot, task: TaskKey, undoing: TaskKey
    ) -> None:
        planned = program.tasks[task.path]
        assert planned.task.compensate is not None
        # What undoes a task may say what the task itself brought.
        reads = {**planned.reads, planned.task.id: task.path}
        own = planned.model_copy(update={"task": planned.task.compensate, "reads": reads})
        view = RunView(self.ports, key, program, own, task.at, looked)
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
            told = RunError(code=error.code, detail=error.detail)
            return failed(told, attempt=1, started_at=started_at, ended_at=iso(self.ports.clock.now()))
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
        world = self.world
        return TaskContext(view.key, undoing, place, world.tools, world.put_event, world.reach)
