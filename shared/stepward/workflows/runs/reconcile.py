"""Reconcile open runs: start, wake or close those whose message was lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

from stepward.agents.reconcile import RUNS_LISTED, raise_all, round_robin
from stepward.domain.chunks import Chunk
from stepward.domain.errors import Conflict, MachineMissing, StepwardError, TaskRetry
from stepward.domain.programs import Program
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskRecord, TaskStatus, WorkflowHead, WorkflowStatus
from stepward.ports.clock import iso
from stepward.ports.tasks import Begun, RunSnapshot
from stepward.tasks.catalog import is_awaited, type_of
from stepward.tasks.facts import Starts
from stepward.workflows.program.names import at_depth, number_of, path_of
from stepward.workflows.program.tasks import fails_the_run
from stepward.workflows.runs.attempts import newest, opened_key
from stepward.workflows.runs.begin_run import BeginRun
from stepward.workflows.runs.chunks import RunChunk
from stepward.workflows.runs.end_run import BEING_COMPENSATED, EndRun, Notify, notify_again
from stepward.workflows.runs.run_store import WorkflowPorts
from stepward.workflows.runs.task_entry import wake

# The janitor's round.


OVERDUE: Final = timedelta(seconds=30)
RUNS_A_PASS: Final = 200


@dataclass(frozen=True)
class ReconcileWorkflows:
    """The janitor's pass over the runs of workflows."""

    ports: WorkflowPorts
    end: EndRun
    is_wanted: Callable[[WorkflowHead], bool] = lambda _: True
    """Returns whether the call that started a run still waits for it."""

    def __call__(self) -> dict[str, int]:
        """Start runs that never began, close those that are over, and count both.

        Errors are raised at the end: one broken run must not keep the others from being reconciled.
        """
        before, faults = iso(self.ports.clock.now() - OVERDUE), list[StepwardError]()
        done = {"workflows_started": 0, "workflows_closed": 0, "workflows_cancelled": 0, "workflows_woken": 0}
        heads = self.ports.runs.open_runs(before, RUNS_LISTED)
        for head in round_robin(heads, RUNS_A_PASS, self.ports.clock.now()):
            try:
                name = self._repair(head)
            except StepwardError as error:
                faults.append(error)
                continue
            if name:
                done[name] += 1
        raise_all(faults)
        return done

    def _repair(self, head: WorkflowHead) -> str | None:
        """Compare a run with its execution; the list of runs may lag behind.

        time →   start: transaction ✓ ─ ✗ dies          → it never began: start it by the same name
                 machine: over ─ its event is lost      → it is not finalized: compensate it, or close it as failed
                 answer: kept ✓ ─ ✗ dies                → its machine waits in vain: wake it

        agent: ended, or waits no longer        → its output is not read: cancel it
        """
        if not self.is_wanted(head):
            return self._cancelled(head)
        if head.status is WorkflowStatus.PENDING and self._is_queued(head):
            return None
        match self.ports.machines.execution_status(head):
            case "never began":
                return self._start(head)
            case "over":
                why = "the execution is over and recorded no outcome."
                closed = self.end.close(head.key, "ExecutionStopped", why)
                return None if closed == BEING_COMPENSATED else "workflows_closed"
            case _:
                return "workflows_woken" if ResendLostWakeUps(self.ports, self.end.notify)(head) else None

    def _start(self, head: WorkflowHead) -> str | None:
        """Start a run once its machine is there.

        Each pass requests a machine that is gone, until the run's time is over.
        """
        try:
            BeginRun(self.ports)(head)
        except MachineMissing as error:
            if iso(self.ports.clock.now()) < head.deadline_at:
                return None
            self.end.close(head.key, error.code, error.detail)
            return "workflows_closed"
        return "workflows_started"

    def _is_queued(self, head: WorkflowHead) -> bool:
        """Return whether a run is queued, and wake its queue.

        The list may lag behind a run that was admitted.
        """
        standing = self.ports.slots.slot_state(head.key)
        if standing is None or standing.position is None:
            return False
        self.ports.queue.wake_ups.send(head.tenant)
        return True

    def _cancelled(self, head: WorkflowHead) -> str | None:
        """Cancel a run, which may have ended since it was listed."""
        try:
            self.end.cancel(head.tenant, head.run, "the platform")
        except Conflict:
            return None
        return "workflows_cancelled"


# Lost wake-ups.


FRESH: Final = timedelta(seconds=20)
"""Longer than from an answer's record to its token; a younger answer is still being delivered."""
MOST_A_RUN: Final = 50
"""Answers sent a pass for tasks whose machine shows no progress, the latest first."""


@dataclass(frozen=True)
class ResendLostWakeUps:
    """Sends the wake-ups of one run that may be lost; safe to repeat, for a token works once.

    time →   answer: record ✓ ─ ✗ dies                    we, a minute later: record, nothing after it → wake
             child: closed ✓ ─ ✗ dies                     we: no record, the child has ended → its end is reported again
             answer: next attempt marked ✓ ─ ✗ dies       we: marked, not entered → refuse
    """

    ports: WorkflowPorts
    notify: Notify

    def __call__(self, head: WorkflowHead) -> int:
        """Send every wake-up that may be lost; count those that were still waited for."""
        snapshot = self.ports.store.full_snapshot(head.key)
        if snapshot.cancelled_by:
            return 0
        program = self.ports.program(head.tenant, head.workflow, head.version)
        run = _Run(self, head, program, snapshot)
        return run.joins() + run.answered() + run.unanswered()


@dataclass(frozen=True)
class _Run:
    """One run's records, and the wake-ups that may be lost."""

    case: ResendLostWakeUps
    head: WorkflowHead
    program: Program
    snapshot: RunSnapshot

    @property
    def ports(self) -> WorkflowPorts:
        return self.case.ports

    @cached_property
    def before(self) -> str:
        return iso(self.ports.clock.now() - FRESH)

    def joins(self) -> int:
        """Free awaits whose tasks are all done."""
        woken = 0
        for key, latch in self.snapshot.latches.items():
            for awaited in self.program.latches.get(key.latch, ()):
                token, owner = latch.waiting.get(awaited.join), path_of(awaited.join)
                is_over = self._is_touched(owner, key.at) or not latch.settled.issuperset(awaited.needs)
                if token and not is_over:
                    woken += self.ports.machines.answer(token)
        return woken

    def answered(self) -> int:
        """Wake the states of tasks and chunks whose outcome is recorded."""
        kept = [one for one in self.snapshot.records.items() if self._may_wait(*one)]
        kept.sort(key=lambda one: one[1].ended_at, reverse=True)
        return sum(self._wake(task, record) for task, record in kept[:MOST_A_RUN])

    def unanswered(self) -> int:
        """Continue what has no outcome: a further attempt, an ended child, a dead chunk."""
        return sum(self._bring_on(task, mark) for task, mark in self._open())

    def _open(self) -> Iterator[tuple[TaskKey, Begun]]:
        for task, marks in self.snapshot.begun.items():
            mark = newest(marks)
            is_ours = task.is_chunk or self._is_awaited(task)
            if is_ours and mark and task not in self.snapshot.records and mark.at < self.before:
                yield task, mark

    def _bring_on(self, task: TaskKey, mark: Begun) -> bool:
        if task.is_chunk:
            return self._chunk_died(task, mark)
        if mark.attempt > 1 and not self._is_entered(task, mark):
            token = self.ports.tokens.of(self.head.key, str(task))
            cause = "another attempt is to be made"
            return bool(token) and self.ports.machines.refuse(str(token), TaskRetry.__name__, cause)
        if type_of(self.program.tasks[task.path].task).starts is Starts.WORKFLOW and mark.child:
            return self._child_ended(mark.child)
        return False

    def _is_entered(self, task: TaskKey, mark: Begun) -> bool:
        entered = self.snapshot.begun.get(opened_key(task), ())
        return any(one.attempt == mark.attempt for one in entered)

    def _child_ended(self, run: str) -> bool:
        child = self.ports.runs.head(RunKey(tenant=self.head.tenant, run=run))
        if child is None or not child.ended or (child.ended_at or "") > self.before:
            return False
        notify_again(self.ports, self.case.notify, child)
        return True

    def _chunk_died(self, task: TaskKey, mark: Begun) -> bool:
        """Restart a chunk whose execution is over and whose end was not recorded."""
        rounds, _, first = task.at.removesuffix("]").rpartition("[")
        path, number = task.path.removesuffix("~chunk"), int(first)
        chunk = Chunk(
            task=path, rounds=rounds, first=number, last=number, attempt=mark.attempt, name=mark.child or ""
        )
        if self.ports.machines.execution_status(self.head, chunk) != "over":
            return False
        RunChunk(self.ports).died(self.head.key, chunk, "its execution is over and recorded no outcome.")
        return True

    def _may_wait(self, task: TaskKey, record: TaskRecord) -> bool:
        """Return whether an outcome's wake-up may be lost: it is old, and nothing after it began."""
        if record.ended_at > self.before or record.taken_over:
            return False
        return task.is_chunk or (self._is_awaited(task) and not self._has_gone_on(task))

    def _has_gone_on(self, task: TaskKey) -> bool:
        if self.program.definition.is_state_machine:
            seen = (*self.snapshot.records, *self.snapshot.begun)
            return any(number_of(one.at) > number_of(task.at) for one in seen if _is_step(one))
        return any(self._is_touched(path, task.at) for path in self._dependents[task.path])

    def _wake(self, task: TaskKey, record: TaskRecord) -> bool:
        token = self.ports.tokens.of(self.head.key, str(task))
        if token is None:
            return False
        is_failed = record.status is TaskStatus.FAILED
        fails = is_failed and (task.is_chunk or fails_the_run(self.program, self.program.tasks[task.path]))
        return wake(self.ports, token, record, fails=fails)

    def _is_awaited(self, task: TaskKey) -> bool:
        planned = self.program.tasks.get(task.path)
        return planned is not None and is_awaited(planned.task)

    def _is_touched(self, path: str, at: str) -> bool:
        planned = self.program.tasks.get(path)
        key = TaskKey(path=path, at=at_depth(at, planned.depth) if planned else at)
        return key in self.snapshot.records or key in self.snapshot.begun

    @cached_property
    def _dependents(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for path, planned in self.program.tasks.items():
            for need in planned.needs:
                found[need].append(path)
        return found


def _is_step(task: TaskKey) -> bool:
    """Return whether a key is a state machine's visit to a task, not what is within one."""
    return task.is_task and bool(task.at) and "." not in task.at
