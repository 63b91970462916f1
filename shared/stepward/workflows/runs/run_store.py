"""Group the ports of workflow runs; record tasks' outcomes and lists of items."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepward.agents.run_ports import SlotPorts
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import TaskKey, TaskRecord, TaskStatus
from stepward.ports.clock import Clock, Ids
from stepward.ports.run_machine import Tokens
from stepward.ports.tasks import Latch, LatchKey, TaskStore
from stepward.ports.workflow_machines import WorkflowMachines
from stepward.ports.workflow_runs import WorkflowRuns, WorkflowSlots
from stepward.workflows.program.limits import OWN_BYTES, SHARED_BYTES, SLICE_ITEMS

# Ports.


@dataclass(frozen=True)
class WorkflowPorts:
    """The ports that workflow runs use; `program` is cached, by tenant, workflow and version."""

    store: TaskStore
    runs: WorkflowRuns
    machines: WorkflowMachines
    tokens: Tokens
    slots: WorkflowSlots
    queue: SlotPorts
    program: Callable[[str, str, str], Program]
    clock: Clock
    ids: Ids


# Records of a task's end.


def completed(output: Any, *, attempt: int, started_at: str, ended_at: str, **more: Any) -> TaskRecord:
    """Return the record of a task that completed."""
    return TaskRecord(
        status=TaskStatus.COMPLETED,
        output=output,
        attempt=attempt,
        started_at=started_at,
        ended_at=ended_at,
        **more,
    )


def skipped(why: str, at: str) -> TaskRecord:
    """Return the record of a task that was skipped."""
    return TaskRecord(status=TaskStatus.SKIPPED, why=why[:300], started_at=at, ended_at=at)


def failed(error: RunError, *, attempt: int, started_at: str, ended_at: str, **more: Any) -> TaskRecord:
    """Return the record of a task that failed for good."""
    return TaskRecord(
        status=TaskStatus.FAILED,
        error=error,
        attempt=attempt,
        started_at=started_at,
        ended_at=ended_at,
        **more,
    )


# Keeping records and outputs.


@dataclass(frozen=True)
class TaskRecorder:
    """Writes the records of one run's tasks."""

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
            self._free(mark, self.ports.store.notify_latch(self.key, LatchKey(mark, at), planned.path))
        return kept

    def again(self, planned: PlannedTask, at: str, record: TaskRecord) -> TaskRecord:
        """Repeat all that follows a record: its writer may have died before."""
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
    """Return the name of a large output, which is different for each attempt."""
    return f"{TaskKey(path=path, at=at)}~{attempt}"


# Lists of items: a large one in slices, so that no iteration reads it all.


def keep_items(store: TaskStore, key: RunKey, program: Program, body: str, at: str, items: list[Any]) -> None:
    """Store a list of items; safe to repeat."""
    name = _name(body, at)
    if body not in program.chunks:
        store.put_value(key, name, items)
        return
    for first in range(0, len(items), SLICE_ITEMS):
        store.put_value(key, _slice(name, first), items[first : first + SLICE_ITEMS])
    store.put_value(key, name, {"items": len(items)})


def count_items(store: TaskStore, key: RunKey, body: str, at: str) -> int:
    """Return the number of items in a stored list."""
    found = store.value(key, _name(body, at))
    return found["items"] if isinstance(found, dict) else len(found)


def items_around(
    store: TaskStore, key: RunKey, program: Program, body: str, at: str, number: int
) -> tuple[list[Any], int]:
    """Return the slice of a list that holds an item, and the item's index in it."""
    name = _name(body, at)
    if body not in program.chunks:
        return store.value(key, name), number
    return store.value(key, _slice(name, number)), number % SLICE_ITEMS


def _name(body: str, at: str) -> str:
    return f"{TaskKey(path=body, at=at)}~items"


def _slice(name: str, number: int) -> str:
    return f"{name}~{number // SLICE_ITEMS}"
