"""Finalize a run from its tasks' records: status, output, compensation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stepward.domain.errors import StepwardError, TaskFailed, TaskFault
from stepward.domain.programs import Program
from stepward.domain.run_origins import Compensation
from stepward.domain.runs import RunError, RunKey, existing_head
from stepward.domain.task_records import (
    TaskKey,
    TaskRecord,
    TaskStatus,
    WorkflowHead,
    WorkflowStatus,
)
from stepward.expressions.evaluate import resolved
from stepward.ports.clock import iso
from stepward.ports.tasks import RunSnapshot
from stepward.ports.workflow_runs import WorkflowEnd
from stepward.workflows.program.names import nested, number_of
from stepward.workflows.program.tasks import CRITICAL_FROM, has_compensations
from stepward.workflows.runs.compensation import Compensate, claim_compensation
from stepward.workflows.runs.containers import is_failure_handled
from stepward.workflows.runs.end_run import OUTPUT, Notify, close_booked, notify_again, stop_chunks, totals_of
from stepward.workflows.runs.run_store import WorkflowPorts, output_of
from stepward.workflows.runs.run_task import TaskServices
from stepward.workflows.runs.run_view import RunView


class RunFailed(TaskFault):
    """The run has ended as failed and is finalized; only its execution has still to fail."""


@dataclass(frozen=True)
class FinalizeRun:
    """The use case behind the last state; safe to repeat."""

    ports: WorkflowPorts
    services: TaskServices
    notify: Notify

    def __call__(
        self,
        key: RunKey,
        failure: Mapping[str, Any] | None,
        apart: Compensation | None = None,
        *,
        fails: bool = False,
    ) -> dict[str, Any]:
        """Decide the status, compensate, store the output, close the head, notify the parent.

        Args:
            key: The run.
            failure: The error that the machine reports, if one ended the run early.
            apart: Why a run is over whose own execution is gone: only its compensation is left.
            fails: Whether the state fails if the run has failed. It does so last, so that the run has ended by the time
                that the execution's end is reported.

        Returns:
            The run's status.

        Raises:
            RunFailed: The run has failed, and `fails` is set.
        """
        finalized = self._finalize(key, failure, apart)
        if fails and apart is None and finalized["status"] == WorkflowStatus.FAILED.value:
            head = self.ports.runs.head(key)
            error = head.error if head else None
            raise RunFailed(f"{error.code}: {error.detail}"[:1_000] if error else "the run failed")
        return finalized

    def _finalize(
        self, key: RunKey, failure: Mapping[str, Any] | None, apart: Compensation | None
    ) -> dict[str, Any]:
        head, since = existing_head(self.ports.runs.head(key), key.run), self.ports.clock.now()
        if head.ended:
            return notify_again(self.ports, self.notify, head)
        program = self.ports.program(key.tenant, head.workflow, head.version)
        if apart is None and has_compensations(program):
            claim_compensation(self.ports, key)
        if failure is not None:
            self._stop_chunks(head, program)
        snapshot = self.ports.store.full_snapshot(key)
        status, error = verdict(program, snapshot, failure)
        if status is WorkflowStatus.FAILED:
            error = apart.error if apart else error
            snapshot = Compensate(self.ports, self.services)(key, program, snapshot, apart)
        output = None
        if status in (WorkflowStatus.COMPLETED, WorkflowStatus.PARTIALLY_COMPLETED):
            try:
                output = self._output(key, program, snapshot)
            except StepwardError as fault:
                status, error = WorkflowStatus.FAILED, RunError(code=fault.code, detail=fault.detail)
        self.ports.store.put_value(key, OUTPUT, output)
        end = WorkflowEnd(
            status=status,
            ended_at=iso(self.ports.clock.now()),
            error=error,
            totals=totals_of(snapshot.records),
        )
        end, freed = close_booked(self.ports, head, snapshot, end, since)
        if failure is not None:
            self._stop_chunks(head, program)
        if not freed.done:
            # A cancel came first, or a parallel try of this state: the end that stays is reported.
            return notify_again(self.ports, self.notify, self.ports.runs.head(key) or head)
        self.notify(head, end, output)
        self.ports.queue.wake_waiting(freed, head.tenant)
        return {"status": status.value}

    def _stop_chunks(self, head: WorkflowHead, program: Program) -> None:
        """Stop parallel chunks of a failed run: before the verdict, and again those begun since."""
        if program.chunks:
            stop_chunks(self.ports, head, self.ports.store.full_snapshot(head.key), "the run has failed")

    def _output(self, key: RunKey, program: Program, snapshot: RunSnapshot) -> Any:
        """Return the document's `output`, or the outputs of the tasks that no other needs."""
        first = next(iter(program.tasks.values()))
        view = RunView(self.ports, key, program, first, "", snapshot)
        said = program.definition.output
        if said is not None:
            return resolved(said, view.variables(said, program.output_reads))
        if program.definition.is_state_machine:
            return self._of_last_step(key, snapshot)
        last = [TaskKey(path=path) for path in program.bodies[""]]
        found = {
            task.path: output_of(self.ports, key, task, snapshot.records[task])
            for task in last
            if task in snapshot.records and snapshot.records[task].is_well
        }
        if len(last) == 1 and found:
            return next(iter(found.values()))
        stood_in = {
            group: view.of_fallback(fallback)
            for group in program.groups
            if "." not in group and (fallback := view.fell_back(group)) is not None
        }
        return nested(found) | stood_in

    def _of_last_step(self, key: RunKey, snapshot: RunSnapshot) -> Any:
        """Return the output of a state machine's last task."""
        steps = {
            task: record for task, record in snapshot.records.items() if "." not in task.at and record.is_well
        }
        if not steps:
            return None
        last = max(steps, key=lambda task: number_of(task.at))
        return output_of(self.ports, key, last, steps[last])


def verdict(
    program: Program, snapshot: RunSnapshot, failure: Mapping[str, Any] | None
) -> tuple[WorkflowStatus, RunError | None]:
    """Return the run's status, and its error.

    A run whose tasks may fail is PARTIALLY_COMPLETED, unless a task of priority 8 or more failed, or more than half of
    those that ran.
    """
    failed = {
        task: record
        for task, record in snapshot.records.items()
        if record.status is TaskStatus.FAILED and task.is_task and not is_failure_handled(program, task)
    }
    goes_on = program.definition.is_state_machine and failure is not None
    error = _error_of({} if goes_on else failed, failure)
    if snapshot.cancelled_by:
        return WorkflowStatus.CANCELLED, error
    if failure is not None:
        return WorkflowStatus.FAILED, error
    if not failed or program.definition.is_state_machine:
        # What failed on the way of a state machine was seen to: it went on, and came to an end.
        return WorkflowStatus.COMPLETED, None
    if not program.definition.allow_partial:
        return WorkflowStatus.FAILED, error
    critical = any(program.tasks[task.path].task.priority >= CRITICAL_FROM for task in failed)
    ran = [
        record
        for task, record in snapshot.records.items()
        if record.status is not TaskStatus.SKIPPED and not task.is_chunk
    ]
    if critical or len(failed) * 2 > len(ran):
        return WorkflowStatus.FAILED, error
    return WorkflowStatus.PARTIALLY_COMPLETED, error


def _error_of(failed: Mapping[TaskKey, TaskRecord], failure: Mapping[str, Any] | None) -> RunError | None:
    """Return the error of the task that failed first, or the machine's."""
    if failed:
        task, record = min(failed.items(), key=lambda one: one[1].ended_at)
        assert record.error is not None
        return RunError(code=record.error.code, detail=f"{task}: {record.error.detail}")
    return None if failure is None else reported_error(failure)


def reported_error(failure: Mapping[str, Any]) -> RunError:
    """Return the error that a machine reports."""
    error, cause = str(failure.get("Error", TaskFailed.__name__)), str(failure.get("Cause", ""))
    return _error_of_function(error, cause) or RunError(code=error, detail=cause)


def _error_of_function(error: str, cause: str) -> RunError | None:
    """Return the error that a function raised without a record, such as a failed transition."""
    try:
        message = str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        message = cause if error == TaskFailed.__name__ else ""
    code, _, detail = message.partition(": ")
    return RunError(code=code, detail=detail) if detail and code.isidentifier() else None
