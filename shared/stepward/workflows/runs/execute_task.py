"""Execute one task: decide, resolve its inputs, run or start it, record the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepward.domain.errors import (
    Bug,
    MaxIterationsReached,
    OutputMalformed,
    PlatformFault,
    StepwardError,
    TaskFailed,
    TaskFault,
)
from stepward.domain.json_text import as_read
from stepward.domain.programs import Awaited, Program
from stepward.domain.workflows import Transition
from stepward.expressions.evaluate import resolved
from stepward.ports.tasks import LatchKey
from stepward.tasks.catalog import lets_time_pass, type_of
from stepward.workflows.program.names import SETTLE, number_of
from stepward.workflows.runs.containers import Deadlines
from stepward.workflows.runs.iterations import Iterations
from stepward.workflows.runs.resolve_inputs import ready, reason_to_skip
from stepward.workflows.runs.run_store import WorkflowPorts, skipped
from stepward.workflows.runs.run_task import RunAwaited, RunInline, TaskServices
from stepward.workflows.runs.run_view import read_run_view
from stepward.workflows.runs.slots import RunSlot
from stepward.workflows.runs.task_entry import TaskEntry
from stepward.workflows.runs.task_requests import TaskRequest

# Execution.


@dataclass(frozen=True)
class ExecuteTask:
    """The use case behind the state of every task."""

    ports: WorkflowPorts
    services: TaskServices

    def __call__(self, request: TaskRequest) -> dict[str, Any]:
        """Execute one entry of a task's state, and return what the next state is given."""
        run, since = request.run, self.ports.clock.now()
        if run.undo:
            # Its first state fails, and so it comes to its last one, which undoes: no machine needs a state for this.
            raise TaskFailed(f"{run.undo.error.code}: the run is over, and is undone")
        program = self.ports.program(run.tenant, run.workflow, run.version)
        if request.step == "wait":
            return wait_for_all(self.ports, program, request)
        view = read_run_view(self.ports, run.key, program, request.task, request.at)
        if by := view.snapshot.cancelled_by:
            raise TaskFailed(f"RunCancelled: {by} cancelled the run")
        hold, task = RunSlot(self.ports, run.key), str(view.task)
        slot_state = hold.enter(view.snapshot, program, task, works=not lets_time_pass(view.planned.task))
        try:
            return self._with_slot(TaskEntry(self.ports, request, program, view, since, slot_state))
        finally:
            hold.leave(slot_state, task)

    def _with_slot(self, entry: TaskEntry) -> dict[str, Any]:
        if entry.request.step == "decide":
            return decide(entry)
        if entry.view.own is not None:
            return self._after_record(entry)
        try:
            return self._carry(entry)
        except (PlatformFault, TaskFault, Bug):
            raise
        except StepwardError as error:
            # An expression without a value, settings that do not fit: no further attempt would do better.
            return self._ended(entry, entry.fail(error))

    def _carry(self, entry: TaskEntry) -> dict[str, Any]:
        task, bodies = entry.planned.task, Iterations(entry)
        kind = type_of(task)
        if entry.request.step == "done":
            return bodies.done()
        if not bodies.is_after_a_round and (why := reason_to_skip(entry.view)):
            return self._ended(entry, entry.finish(skipped(why, entry.now)))
        if not bodies.is_after_a_round and (over := Deadlines(entry).over()):
            return self._ended(entry, entry.fail(over))
        if kind.begins:
            return bodies.begin()
        given = ready(entry.view, task)
        if kind.is_awaited(given.settings):
            return RunAwaited(entry, self.services)(kind, given)
        return RunInline(entry, self.services)(kind, given)

    def _after_record(self, entry: TaskEntry) -> dict[str, Any]:
        """Repeat what follows a record: its writer may have died between the two."""
        assert entry.view.own is not None
        return self._ended(entry, entry.finish(entry.view.own))

    def _ended(self, entry: TaskEntry, next_input: dict[str, Any]) -> dict[str, Any]:
        is_begin = type_of(entry.planned.task).begins and entry.request.step is None
        return Iterations(entry).skipped() if is_begin else next_input


# The next task of a state machine.


def decide(entry: TaskEntry) -> dict[str, Any]:
    """Return the next task and step of a state machine; without a transition the run ends."""
    try:
        return _way_on(entry)
    except StepwardError as error:
        raise TaskFailed(f"{error.code}: {error.detail}"[:1_000]) from error


def _way_on(entry: TaskEntry) -> dict[str, Any]:
    at = f"step[{number_of(entry.at) + 1}]"
    for way in entry.planned.task.next:
        if _holds(entry, way):
            _check_visits(entry, way.to)
            return {"at": at, "next": way.to}
    return {"at": at, "next": SETTLE}


def _holds(entry: TaskEntry, way: Transition) -> bool:
    if way.when is None:
        return True
    view = entry.view
    answer = resolved(way.when, view.variables(way.when, entry.planned.way_reads))
    if not isinstance(answer, bool):
        there = f"{entry.planned.path}: the way to {way.to}"
        raise OutputMalformed(f"{there} gave {as_read(answer)}, which is neither true nor false.")
    return answer


def _check_visits(entry: TaskEntry, path: str) -> None:
    most = entry.program.tasks[path].task.max_visits
    visits = sum(task.path == path for task in entry.view.snapshot.records)
    if most is not None and visits >= most:
        raise MaxIterationsReached(f"{path} may be visited {most} times.")


# Joins whose await the function writes.


def wait_for_all(ports: WorkflowPorts, program: Program, request: TaskRequest) -> dict[str, Any]:
    """Store the state's token for the last awaited task; continue at once if all are done.

    time →   we: token ✓ ─ ✗ die                the state asks again: its new token ✓ ─ a record ✓ frees that one
             all records ✓ ─ we: no token ─ ✗ die   the state asks again: no token ─ it goes on
    """
    latch, awaited = _awaited(program, request.join)
    assert request.token is not None
    place = LatchKey(latch, request.at)
    if not ports.store.park(request.run.key, place, awaited.join, request.token, awaited.needs):
        ports.machines.answer(request.token)
    return {}


def _awaited(program: Program, join: str) -> tuple[str, Awaited]:
    for latch, waiting in program.latches.items():
        for one in waiting:
            if one.join == join:
                return latch, one
    raise Bug(f"no task of {program.machine} is awaited by {join!r}")
