"""Start the state machine of a run that is recorded, and admit runs from the queue."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from stepward.domain.errors import MachineMissing, StoreConflict
from stepward.domain.programs import Program
from stepward.domain.run_queue import QueuedRun
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskRecord, WorkflowHead
from stepward.ports.clock import iso
from stepward.ports.run_queue import NoSlot, SlotLimits
from stepward.ports.tasks import Inherited, LatchKey, RunSnapshot
from stepward.tasks.catalog import type_of
from stepward.workflows.program.names import at_depth, depth_of, number_of
from stepward.workflows.runs.run_store import WorkflowPorts

# Begin.


_LOG: Final = logging.getLogger(__name__)
_PAID_FOR: Final = {"taken_over": True, "cost_usd_micros": 0, "runs_aws_usd_micros": 0, "took_ms": None}
"""The costs of an inherited record, which the earlier run has paid."""
_ATTEMPTS: Final = 5


@dataclass(frozen=True)
class BeginRun:
    """Starts a run's machine; safe to repeat."""

    ports: WorkflowPorts

    def __call__(self, head: WorkflowHead, *, is_new: bool = True) -> None:
        """Copy what a rerun inherits, then start the machine.

        time →   head ✓ ─ records ✓ ─ start ✓        head ✓ ─ ✗ dies: the janitor copies and starts, by the same name
        """
        if is_new and head.rerun_of:
            self._take_over(head, head.rerun_of)
        # The name makes a second start harmless, so a start whose answer was lost is simply made again.
        self.ports.machines.start(head)

    def _take_over(self, head: WorkflowHead, rerun_of: str) -> None:
        """Copy completed records into a rerun, whose tasks then do not run again.

        Safe to repeat.
        """
        program = self.ports.program(head.tenant, head.workflow, head.version)
        before = RunKey(tenant=head.tenant, run=rerun_of)
        self.ports.store.copy_values(before, head.key)
        taken: list[Inherited] = []
        for task, record in kept(program, self.ports.store.full_snapshot(before)).items():
            planned = program.tasks[task.path]
            paid = record.model_copy(update=_PAID_FOR)
            taken.append(Inherited(LatchKey(planned.latch, task.at), task.path, paid))
            taken += [Inherited(LatchKey(mark, task.at), task.path, None) for mark in planned.marks]
        self.ports.store.inherit(head.key, taken)


@dataclass(frozen=True)
class AdmitRun:
    """Gives a queued run a slot and starts it: what `dispatch` does for workflows."""

    ports: WorkflowPorts

    def __call__(self, waiting: QueuedRun, limits: SlotLimits) -> bool | NoSlot:
        """Admit one run; False if it is no longer queued.

        time →   dispatch: slot ✓ place gone ─ ✗ dies        janitor: RUNNING and never began → begins it
        """
        key = RunKey(tenant=waiting.tenant, run=waiting.run)
        for _ in range(_ATTEMPTS):
            head, standing = self.ports.runs.head(key), self.ports.slots.slot_state(key)
            if head is None or head.ended or standing is None or standing.position != waiting.position:
                self.ports.queue.run_queue.leave(waiting)
                return False
            deadline_at = iso(self.ports.clock.now() + timedelta(seconds=self._timeout_s(head)))
            try:
                outcome = self.ports.slots.admit(waiting, standing, limits, deadline_at)
            except StoreConflict:
                continue
            if isinstance(outcome, NoSlot):
                return outcome
            self._begin(head)
            return True
        raise StoreConflict(f"{waiting.run} could not be admitted; another function is at work on it.")

    def _begin(self, head: WorkflowHead) -> None:
        """Start the run.

        If its machine is gone, starting it has requested a new one, and the janitor starts the run once that is there.
        """
        try:
            BeginRun(self.ports)(head)
        except MachineMissing as error:
            _LOG.warning("%s begins later: %s", head.run, error.detail)

    def _timeout_s(self, head: WorkflowHead) -> int:
        """Return how long the run may take: the time in the queue does not count."""
        return self.ports.program(head.tenant, head.workflow, head.version).definition.timeout_s


# What a rerun takes over.


Round: TypeAlias = tuple[str, str, int]
"""An iteration of a loop or a step of a state machine: its body, where that is, the number."""
Node: TypeAlias = TaskKey | Round
_UNDONE = "~undone"


def kept(program: Program, snapshot: RunSnapshot) -> dict[TaskKey, TaskRecord]:
    """Choose the records that a rerun inherits.

    They are those of completed tasks that depend on none that runs again. What failed runs again, what was compensated,
    what only fell back, and all that comes after one of these: a judge that had two findings of three is asked again
    when there are three.
    """
    records = {task: record for task, record in snapshot.records.items() if "~" not in task.path}
    again = _with_what_follows(_to_run_again(snapshot, records), _followers(program, records))
    return {task: record for task, record in records.items() if record.is_well and task not in again}


def _to_run_again(snapshot: RunSnapshot, records: dict[TaskKey, TaskRecord]) -> set[Node]:
    undone = {task.path.removesuffix(_UNDONE) for task in snapshot.records if task.path.endswith(_UNDONE)}
    return {
        task
        for task, record in records.items()
        if record.error is not None or record.fell_back or task.path in undone
    }


def _with_what_follows(first: set[Node], followers: dict[Node, list[Node]]) -> set[Node]:
    found, ahead = set(first), list(first)
    while ahead:
        for follower in followers.get(ahead.pop(), ()):
            if follower not in found:
                found.add(follower)
                ahead.append(follower)
    return found


def _followers(program: Program, records: dict[TaskKey, TaskRecord]) -> dict[Node, list[Node]]:
    """Invert the needs: map each node to those that run again if it does."""
    found: dict[Node, list[Node]] = {}
    for task in records:
        for cause in _causes(program, task):
            found.setdefault(cause, []).append(task)
        for body in _bodies(program, task):
            # A body that lost one of its tasks brings something else.
            found.setdefault(task, []).append(body)
        for path, at, number in _rounds(program, task):
            own: Round = (path, at, number)
            found.setdefault((path, at, number - 1), []).extend((task, own))
            found.setdefault(task, []).append(own)
    return found


def _causes(program: Program, task: TaskKey) -> Iterator[TaskKey]:
    """Yield what a task needs, and what the bodies around it need."""
    for one in (task, *_bodies(program, task)):
        for need in program.tasks[one.path].needs:
            yield TaskKey(path=need, at=at_depth(one.at, program.tasks[need].depth))


def _bodies(program: Program, task: TaskKey) -> Iterator[TaskKey]:
    path = task.path
    while path := path.rpartition(".")[0]:
        if (body := program.tasks.get(path)) is not None:
            yield TaskKey(path=path, at=at_depth(task.at, body.depth))


def _rounds(program: Program, task: TaskKey) -> Iterator[Round]:
    """Yield the sequential iterations in which a task ran: of loops, and a machine's steps."""
    if program.definition.is_state_machine:
        yield "", "", number_of(at_depth(task.at, 1))
    for body in _bodies(program, task):
        if type_of(program.tasks[body.path].task).is_sequential:
            yield body.path, body.at, number_of(at_depth(task.at, depth_of(body.at) + 1))
