"""Carries one task: decides whether it runs, resolves what it is given, does it or sets it going, keeps the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepward.domain.errors import Bug, PlatformFault, StepwardError, TaskFailed, TaskFault
from stepward.tasks.base import Place
from stepward.tasks.catalog import find_type, is_awaited
from stepward.workflow.running.awaited import SetGoing
from stepward.workflow.running.bodies import Bodies
from stepward.workflow.running.containing import Deadlines
from stepward.workflow.running.deciding import decide
from stepward.workflow.running.entry import Entry
from stepward.workflow.running.holding import HoldSlot
from stepward.workflow.running.joining import wait_for_all
from stepward.workflow.running.outcomes import skipped
from stepward.workflow.running.ports import WorkflowPorts
from stepward.workflow.running.requests import TaskRequest
from stepward.workflow.running.resolving import ready, reason_to_skip
from stepward.workflow.running.situation import look
from stepward.workflow.running.within import RunWithin, World


@dataclass(frozen=True)
class CarryTask:
    """The use case behind the state of every task."""

    ports: WorkflowPorts
    world: World

    def __call__(self, request: TaskRequest) -> dict[str, Any]:
        """Carry the task as far as this entry goes; the answer is what the next state is given."""
        run, since = request.run, self.ports.clock.now()
        if run.undo:
            # Its first state fails, and so it comes to its last one, which undoes: no machine needs a state for this.
            raise TaskFailed(f"{run.undo.error.code}: the run is over, and is undone")
        program = self.ports.program(run.tenant, run.workflow, run.version)
        if request.step == "wait":
            return wait_for_all(self.ports, program, request)
        situation = look(self.ports, run.key, program, request.task, request.at)
        if by := situation.looked.cancelled_by:
            raise TaskFailed(f"RunCancelled: {by} cancelled the run")
        hold, task = HoldSlot(self.ports, run.key), str(situation.task)
        asks = is_awaited(situation.planned.task) or situation.planned.task.type == "wait"
        stood = hold.enter(situation.looked, program, task, works=not asks)
        try:
            return self._with_slot(Entry(self.ports, request, program, situation, since, stood))
        finally:
            hold.leave(stood, task)

    def _with_slot(self, entry: Entry) -> dict[str, Any]:
        if entry.request.step == "decide":
            return decide(entry)
        if entry.situation.own is not None:
            return self._after_record(entry)
        try:
            return self._carry(entry)
        except (PlatformFault, TaskFault, Bug):
            raise
        except StepwardError as error:
            # An expression without a value, settings that do not fit: no further attempt would do better.
            return self._ended(entry, entry.fail(error))

    def _carry(self, entry: Entry) -> dict[str, Any]:
        task, bodies = entry.planned.task, Bodies(entry)
        kind = find_type(task.type)
        if entry.request.step == "done":
            return bodies.done()
        if not bodies.is_after_a_round and (why := reason_to_skip(entry.situation)):
            return self._ended(entry, entry.finish(skipped(why, entry.now)))
        if not bodies.is_after_a_round and (over := Deadlines(entry).over()):
            return self._ended(entry, entry.fail(over))
        if kind.place is Place.BODY or task.type == "wait":
            return bodies.begin()
        given = ready(entry.situation, task)
        if kind.place_of(given.settings) is Place.AWAITED:
            return SetGoing(entry, self.world)(kind, given)
        return RunWithin(entry, self.world)(kind, given)

    def _after_record(self, entry: Entry) -> dict[str, Any]:
        """Do again what follows a record: its writer may have died between the two."""
        assert entry.situation.own is not None
        return self._ended(entry, entry.finish(entry.situation.own))

    def _ended(self, entry: Entry, passed_on: dict[str, Any]) -> dict[str, Any]:
        has_more = find_type(entry.planned.task.type).place is Place.BODY or entry.planned.task.type == "wait"
        is_begin = has_more and entry.request.step is None
        return Bodies(entry).skipped() if is_begin else passed_on
