"""Records of workflows' tasks in dictionaries, an item of the table each, with the same conditions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from stepward.domain.errors import NotFound, StoreConflict
from stepward.domain.run_queue import SlotState
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskRecord
from stepward.ports.tasks import Begun, Inherited, Latch, LatchKey, RunSnapshot, WorkflowStarted


@dataclass
class _Item:
    """One latch: records by path, marks of records elsewhere, tokens by join."""

    records: dict[str, str] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    waiting: dict[str, str] = field(default_factory=dict)

    def as_latch(self) -> Latch:
        """Return the latch as a write has left it."""
        records = {path: TaskRecord.model_validate_json(body) for path, body in self.records.items()}
        return Latch(records, frozenset(records) | self.words, dict(self.waiting))


@dataclass
class _Run:
    """A run's partition.

    Values and records are kept as text, so that no caller can change them from outside.
    """

    started: WorkflowStarted
    cancelled_by: str | None = None
    slot_state: SlotState | None = None
    latches: dict[LatchKey, _Item] = field(default_factory=dict)
    marks: dict[TaskKey, dict[int, Begun]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


class MemoryTaskStore:
    """Keeps every run's partition; safe under threads."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._runs: dict[RunKey, _Run] = {}

    def begin_run(
        self, key: RunKey, started: WorkflowStarted, given: Any, slot_state: SlotState | None = None
    ) -> None:
        """Write the items of a run's start, as a part of the step that writes its head."""
        with self.lock:
            new = _Run(started, slot_state=slot_state, values={"input": json.dumps(given)})
            self._runs.setdefault(key, new)

    def slot_state(self, key: RunKey) -> SlotState | None:
        """Read the state of a run's slot."""
        with self.lock:
            return self._runs[key].slot_state if key in self._runs else None

    def put_slot_state(self, key: RunKey, before: SlotState, after: SlotState) -> None:
        """Write the state of a run's slot, unless it has changed since it was read."""
        with self.lock:
            if self._run(key).slot_state != before:
                raise StoreConflict(f"{key.run} has gone on.")
            self._run(key).slot_state = after

    def snapshot(self, key: RunKey, latches: Sequence[LatchKey], begun: Sequence[TaskKey]) -> RunSnapshot:
        """Read the start, some latches and some marks."""
        with self.lock:
            return self._snapshot(key, latches, begun)

    def full_snapshot(self, key: RunKey) -> RunSnapshot:
        """Read all latches and all marks."""
        with self.lock:
            run = self._run(key)
            return self._snapshot(key, run.latches, run.marks)

    def given(self, key: RunKey) -> Any:
        """Read the run's input."""
        return self.value(key, "input")

    def keep(self, key: RunKey, latch: LatchKey, path: str, record: TaskRecord) -> tuple[TaskRecord, Latch]:
        """Keep the first record of a task."""
        with self.lock:
            item = self._item(key, latch)
            item.records.setdefault(path, record.model_dump_json(exclude_none=True))
            found = item.as_latch()
            return found.records[path], found

    def notify_latch(self, key: RunKey, latch: LatchKey, path: str) -> Latch:
        """Note in another latch that a task has its record; safe to repeat."""
        with self.lock:
            item = self._item(key, latch)
            item.words.add(path)
            return item.as_latch()

    def park(self, key: RunKey, latch: LatchKey, join: str, token: str, needs: Iterable[str]) -> bool:
        """Write the token of a join, if one of the records that it needs is missing.

        time →   record ✓ ─ record ✓ ─ park ✗ goes on            record ✓ ─ park ✓ ─ record ✓ sees the token
        """
        with self.lock:
            item = self._item(key, latch)
            if item.as_latch().settled.issuperset(needs):
                return False
            item.waiting[join] = token
            return True

    def begin(self, key: RunKey, task: TaskKey, begun: Begun) -> tuple[Begun, bool]:
        """Mark an attempt; the first mark stays."""
        with self.lock:
            kept = self._run(key).marks.setdefault(task, {}).setdefault(begun.attempt, begun)
            return kept, kept == begun

    def put_value(self, key: RunKey, name: str, value: Any) -> None:
        """Keep a value."""
        with self.lock:
            self._run(key).values[name] = json.dumps(value, ensure_ascii=False)

    def value(self, key: RunKey, name: str) -> Any:
        """Read a value."""
        found = self._runs[key].values.get(name) if key in self._runs else None
        if found is None:
            raise NotFound(f"the run {key.run} has no value {name!r}.")
        return json.loads(found)

    def copy_values(self, source: RunKey, target: RunKey) -> None:
        """Copy values to another run."""
        with self.lock:
            kept = self._run(source).values
            copied = {name: value for name, value in kept.items() if name not in ("input", "output")}
            self._run(target).values |= copied

    def inherit(self, key: RunKey, inherited: Sequence[Inherited]) -> None:
        """Write inherited records one after another."""
        for one in inherited:
            if one.record is None:
                self.notify_latch(key, one.latch, one.path)
            else:
                self.keep(key, one.latch, one.path, one.record)

    def cancel(self, key: RunKey, by: str) -> bool:
        """Write the canceller of the run; the first stays."""
        with self.lock:
            run = self._run(key)
            run.cancelled_by = run.cancelled_by or by
            return run.cancelled_by == by

    # ── parts, under the lock ───────────────────────────────────────────────────────────────────────────────────

    def _run(self, key: RunKey) -> _Run:
        if key not in self._runs:
            raise NotFound(f"there is no run {key.run!r} of a workflow.", field="run_id")
        return self._runs[key]

    def _item(self, key: RunKey, latch: LatchKey) -> _Item:
        return self._run(key).latches.setdefault(latch, _Item())

    def _snapshot(self, key: RunKey, latches: Iterable[LatchKey], begun: Iterable[TaskKey]) -> RunSnapshot:
        run, latches = self._run(key), list(latches)
        records = {
            TaskKey(path=path, at=latch.at): TaskRecord.model_validate_json(body)
            for latch in latches
            if latch in run.latches
            for path, body in run.latches[latch].records.items()
        }
        marks = {
            task: tuple(run.marks[task][number] for number in sorted(run.marks[task]))
            for task in begun
            if task in run.marks
        }
        asked = (latch for latch in latches if latch in run.latches)
        waiting = {latch: run.latches[latch].as_latch() for latch in asked if run.latches[latch].waiting}
        return RunSnapshot(run.started, run.cancelled_by, records, marks, run.slot_state, waiting)
