"""Decide what groups and bodies do about failures and time limits within them.

A container with `on_error: continue` or a `fallback` handles what fails within it: that ends the container, not the
run. So does a foreach or a loop with a `timeout_s`. Its `retry` applies to its tasks that have none of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from stepward.domain.programs import Program
from stepward.domain.runs import RunError
from stepward.domain.task_records import TaskKey, TaskRecord, TaskStatus
from stepward.ports.clock import from_iso, iso
from stepward.ports.tasks import Begun, RunSnapshot
from stepward.tasks.catalog import type_of
from stepward.workflows.program.names import at_depth
from stepward.workflows.program.tasks import containers_of, ends_container, handles_failures
from stepward.workflows.runs.task_entry import TaskEntry


def is_failure_handled(program: Program, key: TaskKey) -> bool:
    """Return whether a container handles a task's failure, so that it does not count.

    Args:
        program: The compiled version.
        key: The task, which is one of the document.

    Returns:
        True where a body has a record of its own for it, or a group has a fallback.
    """
    if not ends_container(program, program.tasks[key.path]):
        return False
    holder = next(
        ((path, one) for path, one in containers_of(program, key.path) if handles_failures(one)), None
    )
    return holder is not None and (holder[0] in program.tasks or holder[1].fallback is not None)


def failure_within(program: Program, snapshot: RunSnapshot, path: str, at: str) -> RunError | None:
    """Return the first failure in a body's iterations that makes the body fail.

    Args:
        program: The compiled version.
        snapshot: The run's records, those of the iterations at least.
        path: The body's.
        at: The iteration that the body is in, or one of its own iterations.

    Returns:
        The error, with its task; None if there is none.
    """
    failed = [
        (record.ended_at, str(key), record)
        for key, record in snapshot.records.items()
        if _fails(program, key, record, path, at)
    ]
    if not failed:
        return None
    _, name, record = min(failed, key=lambda one: one[:2])
    assert record.error is not None
    return RunError(code=record.error.code, detail=f"{name}: {record.error.detail}")


def _fails(program: Program, key: TaskKey, record: TaskRecord, path: str, at: str) -> bool:
    if record.status is not TaskStatus.FAILED or not key.is_task or not key.path.startswith(f"{path}."):
        return False
    if key.at != at and not key.at.startswith(f"{at}." if at else ""):
        return False
    if not ends_container(program, program.tasks[key.path]):
        return False
    holder = next((one for one, task in containers_of(program, key.path) if handles_failures(task)), "")
    return not holder.startswith(f"{path}.")


@dataclass(frozen=True)
class Deadlines:
    """The deadlines of a task and its containers: their start plus `timeout_s`."""

    entry: TaskEntry

    def over(self) -> RunError | None:
        """Return the error if a deadline has passed.

        Returns:
            The error with which the task fails; None while there is time.
        """
        now = iso(self.entry.ports.clock.now())
        for path, timeout_s, due_at in self._due():
            if now >= due_at:
                return RunError(code="TaskTimedOut", detail=f"{path} took longer than its {timeout_s} s.")
        return None

    def left_s(self, seconds: int) -> int:
        """Cut a wait to the time that is left.

        Args:
            seconds: How long it would be.

        Returns:
            Whole seconds, 0 where nothing is left.
        """
        now = self.entry.ports.clock.now()
        left = [(from_iso(due_at) - now).total_seconds() for _, _, due_at in self._due()]
        return max(0, min([seconds, *(int(-(-one // 1)) for one in left)]))

    def _due(self) -> Iterator[tuple[str, int, str]]:
        entry = self.entry
        own = entry.planned
        if own.task.timeout_s is not None and type_of(own.task).begins:
            yield own.path, own.task.timeout_s, self._due_at(own.path, own.task.timeout_s)
        for path, task in containers_of(entry.program, own.path):
            if task.timeout_s is not None:
                yield path, task.timeout_s, self._due_at(path, task.timeout_s)

    def _due_at(self, path: str, timeout_s: int) -> str:
        """Return a container's deadline; its first task records when it began.

        time →   one: mark ✓ ─ its time        another beside it: mark ✗, it is there → the same time
        """
        entry, program = self.entry, self.entry.program
        depth = program.tasks[path].depth if path in program.tasks else _depth_of_group(program, path)
        since: datetime = entry.ports.clock.now()
        key = TaskKey(path=f"{path}~time", at=at_depth(entry.request.at, depth))
        mark, _ = entry.ports.store.begin(entry.view.key, key, Begun(attempt=1, at=iso(since)))
        return iso(from_iso(mark.at) + timedelta(seconds=timeout_s))


def _depth_of_group(program: Program, path: str) -> int:
    member = next(iter(program.groups[path].values()))
    return program.tasks[member].depth if member in program.tasks else _depth_of_group(program, member)
