"""Decide which execution compensates a run, and start it: never two at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from stepward.domain.errors import TaskFailed
from stepward.domain.programs import Program
from stepward.domain.run_origins import Compensation
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import TaskKey, WorkflowHead
from stepward.ports.clock import from_iso, iso
from stepward.ports.tasks import Begun, RunSnapshot
from stepward.workflows.program.limits import MOST_UNDOINGS
from stepward.workflows.runs.run_store import WorkflowPorts

RIGHT: Final = TaskKey(path="~undoing")
"""Its newest mark names the execution that may undo; one without a name is the run's own."""
UNDONE_ELSEWHERE: Final = "another execution undoes the run"
HOLDS: Final = timedelta(seconds=1_900)
"""How long the right is held: six tries of the last state, 310 s each, and the pauses between them."""


def left_to_undo(program: Program, looked: RunSnapshot) -> list[TaskKey]:
    """Name the completed tasks that are to be undone and are not, the last one first."""
    left = [
        (record.ended_at, task)
        for task, record in looked.records.items()
        if record.is_well and _has_one(program, task) and undone_key(task) not in looked.records
    ]
    return [task for _, task in sorted(left, key=lambda one: one[0], reverse=True)]


def _has_one(program: Program, task: TaskKey) -> bool:
    planned = program.tasks.get(task.path)
    return planned is not None and planned.task.compensate is not None


def undone_key(task: TaskKey) -> TaskKey:
    """Name what undoes a task."""
    return TaskKey(path=f"{task.path}~undone", at=task.at)


def holder(looked: RunSnapshot) -> Begun | None:
    """Find who has the right to undo."""
    return max(looked.begun.get(RIGHT, ()), key=lambda mark: mark.attempt, default=None)


def claim_compensation(ports: WorkflowPorts, key: RunKey) -> None:
    """Claim the compensation for the run's own last state, which undoes or ends well.

    Raises:
        TaskFailed: Another execution has claimed it.

    time →   settle: mark 1 ✓ ─ undoes, ends     close: finds mark 1, young → leaves it to the settling
             close: mark 1 ✓ ─ starts            settle: mark 1 ✗, it names another execution → ends nothing
    """
    mark, _ = ports.store.begin(key, RIGHT, Begun(attempt=1, at=iso(ports.clock.now())))
    if mark.child:
        raise TaskFailed(UNDONE_ELSEWHERE)


@dataclass(frozen=True)
class StartCompensation:
    """Begins the execution that undoes a run, for as often as that may be; safe to repeat."""

    ports: WorkflowPorts

    def __call__(self, head: WorkflowHead, program: Program, error: RunError) -> bool:
        """Say whether the run is being undone; if not, nothing is left to undo, or nobody could.

        time →   event: mark ✓ ─ ✗ dies            event again, janitor: the mark is young → started by its name, once
                 execution: ✗, or never heard of     1,900 s later: the next mark ─ the next execution ─ does what is left
        """
        looked = self.ports.store.everything(head.key)
        if looked.cancelled_by or not left_to_undo(program, looked):
            return False
        mark = holder(looked)
        if mark is None or from_iso(mark.at) + HOLDS < self.ports.clock.now():
            attempt = mark.attempt + 1 if mark else 1
            if attempt > MOST_UNDOINGS:
                return False
            named = Begun(attempt=attempt, at=iso(self.ports.clock.now()), child=f"undo{attempt}")
            mark, _ = self.ports.store.begin(head.key, RIGHT, named)
        if mark.child:
            self.ports.machines.start(head, undoing=Compensation(name=mark.child, error=error))
        return True
