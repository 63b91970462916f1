"""Keeps a task's outcome and frees whoever waits for it: one write, by which all agree on the order of things."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from stepward.domain.programs import PlannedTask, Program
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskRecord
from stepward.ports.task_store import Latch, LatchKey
from stepward.workflow.limits import OWN_BYTES, SHARED_BYTES
from stepward.workflow.running.ports import WorkflowPorts


@dataclass(frozen=True)
class Keep:
    """Writes records of one run."""

    ports: WorkflowPorts
    key: RunKey
    program: Program

    def __call__(self, planned: PlannedTask, at: str, record: TaskRecord) -> TaskRecord:
        """Keep the first record of a task, and wake every await that it completes; safe to repeat.

        time →   Y1: record ✓            await: token ✓            Y2: record ✓ ─ sees the token and both records ─ wakes it
                 Y1: record ✓            Y2: record ✓ ─ no token   await: its condition fails ─ it goes on at once
                 Y2: record ✓ ─ ✗ dies   Y2 again: record ✗ there ─ sees the token ─ wakes it
        """
        small = self._small(planned, at, record)
        kept, latch = self.ports.store.keep(self.key, LatchKey(planned.latch, at), planned.path, small)
        self._free(planned.latch, latch)
        for mark in planned.marks:
            self._free(mark, self.ports.store.leave_word(self.key, LatchKey(mark, at), planned.path))
        return kept

    def again(self, planned: PlannedTask, at: str, record: TaskRecord) -> TaskRecord:
        """Do once more all that follows a record that is there: its writer may have died before it was through."""
        return self(planned, at, record)

    def _free(self, name: str, latch: Latch) -> None:
        for awaited in self.program.latches.get(name, ()):
            token = latch.waiting.get(awaited.join)
            if token and latch.settled.issuperset(awaited.needs):
                self.ports.machines.answer(token)

    def _small(self, planned: PlannedTask, at: str, record: TaskRecord) -> TaskRecord:
        if record.output is None:
            return record
        size = len(json.dumps(record.output, ensure_ascii=False).encode())
        if size <= (SHARED_BYTES if planned.is_shared else OWN_BYTES):
            return record
        self.ports.store.put_value(self.key, value_name(planned.path, at, record.attempt), record.output)
        return record.model_copy(update={"output": None, "output_bytes": size})


def output_of(ports: WorkflowPorts, key: RunKey, task: TaskKey, record: TaskRecord) -> Any:
    """Read a task's output, wherever it is kept."""
    if record.output_bytes is None:
        return record.output
    return ports.store.value(key, value_name(task.path, task.at, record.attempt))


def value_name(path: str, at: str, attempt: int) -> str:
    """Name a large output; two attempts that both come to an end do not overwrite each other's."""
    return f"{TaskKey(path=path, at=at)}~{attempt}"
