"""Wakes what waits in vain: what it waits for is there, but whoever brought it died before the machine heard of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

from stepward.domain.chunks import Chunk
from stepward.domain.errors import TaskRetry
from stepward.domain.programs import Program
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskRecord, TaskStatus, WorkflowHead
from stepward.ports.clock import iso
from stepward.ports.task_store import Begun, Looked
from stepward.tasks.catalog import is_awaited
from stepward.workflow.program_tasks import fails_the_run
from stepward.workflow.running.attempts import newest, opened_key
from stepward.workflow.running.booking import Tell, tell_again
from stepward.workflow.running.chunks import RunChunk
from stepward.workflow.running.entry import wake
from stepward.workflow.running.ports import WorkflowPorts
from stepward.workflow.running.rounds import at_depth, number_of

FRESH: Final = timedelta(seconds=20)
"""Longer than an answer takes from its record to its token: until then whoever brought it is at it."""
MOST_A_RUN: Final = 50
"""Answers that one round sends for tasks of which nothing shows that their machine has gone on; the newest first."""


@dataclass(frozen=True)
class WakeLost:
    """The janitor's look at one run that goes on; safe to repeat, for a token is used once.

    time →   answer: record ✓ ─ ✗ dies                    we, a minute later: record, nothing after it → wake
             child: closed ✓ ─ ✗ dies                     we: no record, the child has ended → its end is told again
             answer: next attempt marked ✓ ─ ✗ dies       we: marked, not entered → refuse
    """

    ports: WorkflowPorts
    tell: Tell

    def __call__(self, head: WorkflowHead) -> int:
        """Send every wake-up that may be lost; count those that somebody still waited for."""
        looked = self.ports.store.everything(head.key)
        if looked.cancelled_by:
            return 0
        program = self.ports.program(head.tenant, head.workflow, head.version)
        run = _Run(self, head, program, looked)
        return run.joins() + run.answered() + run.unanswered()


@dataclass(frozen=True)
class _Run:
    """One run as it was found."""

    case: WakeLost
    head: WorkflowHead
    program: Program
    looked: Looked

    @property
    def ports(self) -> WorkflowPorts:
        return self.case.ports

    @cached_property
    def before(self) -> str:
        return iso(self.ports.clock.now() - FRESH)

    def joins(self) -> int:
        """Free awaits whose tasks are all done."""
        woken = 0
        for key, latch in self.looked.latches.items():
            for awaited in self.program.latches.get(key.latch, ()):
                token, owner = latch.waiting.get(awaited.join), awaited.join.partition(" ")[0]
                is_over = self._is_touched(owner, key.at) or not latch.settled.issuperset(awaited.needs)
                if token and not is_over:
                    woken += self.ports.machines.answer(token)
        return woken

    def answered(self) -> int:
        """Wake tasks and chunks whose outcome is kept."""
        kept = [one for one in self.looked.records.items() if self._may_wait(*one)]
        kept.sort(key=lambda one: one[1].ended_at, reverse=True)
        return sum(self._wake(task, record) for task, record in kept[:MOST_A_RUN])

    def unanswered(self) -> int:
        """Bring on what has no outcome: a further attempt, a child that has ended, a chunk that died."""
        return sum(self._bring_on(task, mark) for task, mark in self._open())

    def _open(self) -> Iterator[tuple[TaskKey, Begun]]:
        for task, marks in self.looked.begun.items():
            mark = newest(marks)
            is_ours = task.is_chunk or self._is_awaited(task)
            if is_ours and mark and task not in self.looked.records and mark.at < self.before:
                yield task, mark

    def _bring_on(self, task: TaskKey, mark: Begun) -> bool:
        if task.is_chunk:
            return self._chunk_died(task, mark)
        if mark.attempt > 1 and not self._is_entered(task, mark):
            token = self.ports.tokens.of(self.head.key, str(task))
            cause = "another attempt is to be made"
            return bool(token) and self.ports.machines.refuse(str(token), TaskRetry.__name__, cause)
        if self.program.tasks[task.path].task.type == "subworkflow" and mark.child:
            return self._child_ended(mark.child)
        return False

    def _is_entered(self, task: TaskKey, mark: Begun) -> bool:
        entered = self.looked.begun.get(opened_key(task), ())
        return any(one.attempt == mark.attempt for one in entered)

    def _child_ended(self, run: str) -> bool:
        child = self.ports.runs.head(RunKey(tenant=self.head.tenant, run=run))
        if child is None or not child.ended or (child.ended_at or "") > self.before:
            return False
        tell_again(self.ports, self.case.tell, child)
        return True

    def _chunk_died(self, task: TaskKey, mark: Begun) -> bool:
        """Begin a chunk anew whose execution is over and whose end nobody heard of."""
        rounds, _, first = task.at.removesuffix("]").rpartition("[")
        path, number = task.path.removesuffix("~chunk"), int(first)
        chunk = Chunk(
            task=path, rounds=rounds, first=number, last=number, attempt=mark.attempt, name=mark.child or ""
        )
        if self.ports.machines.standing(self.head, chunk) != "over":
            return False
        RunChunk(self.ports).died(self.head.key, chunk, "its execution is over and left no word.")
        return True

    def _may_wait(self, task: TaskKey, record: TaskRecord) -> bool:
        """Whether a kept outcome may have woken nobody: old enough, and nothing that follows it has begun."""
        if record.ended_at > self.before or record.taken_over:
            return False
        return task.is_chunk or (self._is_awaited(task) and not self._has_gone_on(task))

    def _has_gone_on(self, task: TaskKey) -> bool:
        if self.program.definition.is_state_machine:
            seen = (*self.looked.records, *self.looked.begun)
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
        return key in self.looked.records or key in self.looked.begun

    @cached_property
    def _dependents(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for path, planned in self.program.tasks.items():
            for need in planned.needs:
                found[need].append(path)
        return found


def _is_step(task: TaskKey) -> bool:
    """Whether it is a visit of a state machine to a task, not what is within one."""
    return task.is_task and bool(task.at) and "." not in task.at
