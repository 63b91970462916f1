"""Bill what AWS charges for a run, from the records of its tasks.

A task's states, retries and marks say what Step Functions and Lambda did for it; the sizes of its records what was
written and read. Functions that record no duration, such as those that start a child run, count with a usual one.
Retries that the platform's own faults cause are unknown, and not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import Final

from stepward.domain.aws_costs import START_MS, AwsTally
from stepward.domain.aws_prices import AwsCost
from stepward.domain.footprint import (
    APPROVAL,
    CHUNK_STATES,
    ITEM_BYTES,
    LOOKS,
    MARK,
    SLOT_MOVES,
    TOKEN_BYTES,
    UNDO_LOOKS,
    WORKFLOW_ENDS,
    WORKFLOW_STARTS,
)
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.task_records import TaskKey, TaskRecord, TaskStatus
from stepward.ports.clock import from_iso
from stepward.ports.tasks import Begun, LatchKey, RunSnapshot
from stepward.tasks.catalog import is_awaited, type_of
from stepward.tasks.facts import Step, beside
from stepward.workflows.program.limits import SLICE_ITEMS
from stepward.workflows.program.names import at_depth, number_of, round_of
from stepward.workflows.runs.compensation import COMPENSATION_CLAIM
from stepward.workflows.runs.slots import LONG_S

TASK_FUNCTION: Final = "task_run"
EDGES_MS: Final = 15
"""Milliseconds before the first reading of the clock and after the last write."""
USUAL_MS: Final = 30
"""Milliseconds of a function that only evaluates, records or starts something."""
ANSWER_MS: Final = 40
"""Milliseconds of a function that takes a person's decision or a callback."""


@dataclass
class Bill:
    """What AWS charges for a run, in all and by task."""

    program: Program
    snapshot: RunSnapshot
    is_child: bool = False
    total: AwsTally = field(default_factory=AwsTally)
    tasks: dict[TaskKey, AwsTally] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Count the start and every task."""
        self._start()
        for task in dict.fromkeys((*self.snapshot.records, *self.snapshot.begun)):
            self.tasks[task] = self._task(task)
        for tally in self.tasks.values():
            self.total.add(tally)

    def cost_with_end(self, ms: int | None) -> AwsCost:
        """Price the whole run with its end.

        Args:
            ms: How long the last state's function took; None if that state was not entered.
        """
        tally = self.total.copy()
        tally.take(WORKFLOW_ENDS)
        if ms is not None:
            tally.transitions += 1
            tally.invoke(TASK_FUNCTION, ms + EDGES_MS)
            tally.read_units += self._everything
        return tally.cost()

    def _start(self) -> None:
        tally = self.total
        if not self.is_child:
            tally.http_requests += 1
            for function, ms in START_MS.items():
                tally.invoke("workflows_api" if function == "runs_api" else function, ms)
        tally.take(WORKFLOW_STARTS)
        tally.transitions += self.program.definition.is_state_machine + bool(self.program.chunks)

    def _task(self, task: TaskKey) -> AwsTally:
        tally, record = AwsTally(), self.snapshot.records.get(task)
        planned = self.program.tasks.get(task.path)
        if record and record.taken_over:
            tally.write(_bytes(record))
            return tally
        if planned is None:
            self._beside(tally, task, record)
            return tally
        self._states(tally, task, planned, record)
        self._writes(tally, task, planned, record)
        return tally

    def _beside(self, tally: AwsTally, task: TaskKey, record: TaskRecord | None) -> None:
        """Count what is no task of the document: a compensation, its execution, or a chunk."""
        if task == COMPENSATION_CLAIM:
            self._compensation(tally, self.snapshot.begun[task])
        elif task.is_undone:
            tally.take(UNDO_LOOKS)
        if task.is_chunk:
            executions = len(self.snapshot.begun.get(task, ()))
            tally.transitions += CHUNK_STATES * executions
            for _ in range(2 * executions):
                tally.invoke(TASK_FUNCTION, USUAL_MS)
            tally.read_units += 2 * executions * self._looks(None, task)
            tally.take(MARK.times(2 * executions))
        if record:
            tally.write(_bytes(record))

    def _compensation(self, tally: AwsTally, marks: Sequence[Begun]) -> None:
        """Count the claim of the compensation, and the states that its execution passes first."""
        tally.take(MARK.times(len(marks)))
        for mark in marks:
            if mark.child:
                tally.transitions += 1 + self.program.definition.is_state_machine + bool(self.program.chunks)
                tally.invoke(TASK_FUNCTION, USUAL_MS)

    def _states(
        self, tally: AwsTally, task: TaskKey, planned: PlannedTask, record: TaskRecord | None
    ) -> None:
        """Count entered states and their functions; the record has the duration of its own."""
        tries, again = self._tries(task, planned, record), self._rounds(task, planned)
        tally.transitions += planned.states + tries - 1 + 2 * again
        functions = planned.functions + tries - 1 + again
        said_ms = None if record is None else record.took_ms
        own_ms = USUAL_MS if said_ms is None else said_ms + EDGES_MS
        for number in range(functions):
            # A try that failed is taken to have lasted as long as the last one.
            tally.invoke(TASK_FUNCTION, own_ms if number < tries else USUAL_MS)
        tally.read_units += functions * self._looks(planned, task)
        if record is None or record.status is not TaskStatus.SKIPPED:
            tally.events += type_of(planned.task).puts_events

    def _writes(
        self, tally: AwsTally, task: TaskKey, planned: PlannedTask, record: TaskRecord | None
    ) -> None:
        size = self._sizes.get(_latch(planned, task), ITEM_BYTES)
        tally.write_units += planned.awaits * ceil((size + TOKEN_BYTES) / 1024)
        marks = len(self.snapshot.begun.get(task, ()))
        tally.take(MARK.times(marks))
        if record is None:
            return
        kind, times = type_of(planned.task), self._times_kept(planned, marks)
        tally.write_units += times * ceil(self._sizes_then[task] / 1024)
        tally.take(MARK.times(times * len(planned.marks)))
        if record.output_bytes is not None:
            tally.write(record.output_bytes)
        if marks:
            tally.take(beside(kind.steps) + MARK.times(self._slices(task)))
        if Step.PAUSE in kind.steps and _waited_s(record) > LONG_S:
            tally.take(SLOT_MOVES.times(2))
        if marks and self._is_awaited(planned):
            self._answer(tally, planned, marks)

    def _times_kept(self, planned: PlannedTask, marks: int) -> int:
        """Count the writes of a record.

        A task that ended before it was begun is recorded again by the state that records outcomes.
        """
        return 1 + (type_of(planned.task).records_later and not marks)

    def _slices(self, task: TaskKey) -> int:
        """Count the slices in which the items of a chunked foreach are stored."""
        return ceil(self._ran_of(task) / SLICE_ITEMS) if task.path in self.program.chunks else 0

    def _answer(self, tally: AwsTally, planned: PlannedTask, tries: int) -> None:
        """Count tokens and the function that takes an answer; child runs bill their own end."""
        tally.take(MARK.times(tries) + SLOT_MOVES.times(2) + LOOKS)
        answered = type_of(planned.task).answered
        if answered is None:
            return
        tally.http_requests += 1
        if answered.has_authorizer:
            tally.invoke("authorizer", START_MS["authorizer"])
        tally.invoke(answered.function, ANSWER_MS)
        if answered.is_approval:
            tally.take(APPROVAL)

    def _tries(self, task: TaskKey, planned: PlannedTask, record: TaskRecord | None) -> int:
        """Return how often the task's first state was tried, as far as is known."""
        if self._is_awaited(planned):
            return max(1, len(self.snapshot.begun.get(task, ())))
        return record.entries if record and not type_of(planned.task).repeats else 1

    def _is_awaited(self, planned: PlannedTask) -> bool:
        return planned.path in self._awaited

    @cached_property
    def _awaited(self) -> frozenset[str]:
        return frozenset(path for path, one in self.program.tasks.items() if is_awaited(one.task))

    def _rounds(self, task: TaskKey, planned: PlannedTask) -> int:
        """Return how often a loop asked for another iteration: as often as it ran."""
        if not type_of(planned.task).is_sequential:
            return 0
        return self._ran_of(task)

    def _ran_of(self, body: TaskKey) -> int:
        """Return how many iterations of a body ran."""
        return self._ran.get(round_of(body.at, body.path, 0).rpartition("[")[0], 0)

    @cached_property
    def _ran(self) -> dict[str, int]:
        """The number of iterations of each body, by the prefix of their paths."""
        found: dict[str, int] = {}
        for task in (*self.snapshot.records, *self.snapshot.begun):
            if task.at and not task.is_chunk:
                body, number = task.at.rpartition("[")[0], number_of(task.at)
                found[body] = max(found.get(body, 0), number + 1)
        return found

    def _looks(self, planned: PlannedTask | None, task: TaskKey) -> float:
        """Return the read units of one look at the run: start, mark and needed records."""
        if planned is None:
            return LOOKS.read_units
        if self.program.definition.is_state_machine:
            return self._everything
        others = (self.program.tasks[path] for path in {planned.path, *planned.needs})
        latches = {_latch(other, task) for other in others}
        return LOOKS.read_units + sum(ceil(self._sizes.get(latch, 1) / 4096) for latch in latches)

    @cached_property
    def _everything(self) -> int:
        """The read units of reading the whole run."""
        return ceil((sum(self._sizes.values()) + ITEM_BYTES * (1 + len(self.snapshot.begun))) / 4096)

    @cached_property
    def _sizes(self) -> dict[LatchKey, int]:
        """The size of each item that holds records."""
        found: dict[LatchKey, int] = {}
        for task, size in self._sizes_then.items():
            latch = _latch(self.program.tasks[task.path], task)
            found[latch] = max(found.get(latch, 0), size)
        return found

    @cached_property
    def _sizes_then(self) -> dict[TaskKey, int]:
        """The size of an item when each record was written, with all that was in it already."""
        sizes: dict[LatchKey, int] = {}
        found: dict[TaskKey, int] = {}
        for task, record in sorted(self.snapshot.records.items(), key=lambda one: one[1].ended_at):
            planned = self.program.tasks.get(task.path)
            if planned is not None:
                latch = _latch(planned, task)
                sizes[latch] = found[task] = sizes.get(latch, ITEM_BYTES) + _bytes(record)
        return found


def _latch(planned: PlannedTask, task: TaskKey) -> LatchKey:
    return LatchKey(planned.latch, at_depth(task.at, planned.depth))


def _waited_s(record: TaskRecord) -> float:
    return (from_iso(record.ended_at) - from_iso(record.started_at)).total_seconds()


def _bytes(record: TaskRecord) -> int:
    return len(record.model_dump_json(exclude_none=True))
