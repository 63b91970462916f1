"""Take the answers that tasks wait for: from runs, people and other systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepward.domain.callback_addresses import callback_path, is_secret
from stepward.domain.errors import Conflict, NotFound, StepwardError, TaskRetry
from stepward.domain.ids import RUN_ID_PATTERN, TENANT_PATTERN, check_id
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import TaskKey, TaskPlace, TaskRecord, TaskStatus, WorkflowHead
from stepward.ports.clock import iso
from stepward.ports.tasks import Begun, TaskOutcome
from stepward.tasks.catalog import find_type, settings_of
from stepward.workflows.program.tasks import fails_the_run, retry_of
from stepward.workflows.runs.attempts import Attempts, waits_for_call
from stepward.workflows.runs.resolve_inputs import with_fallback
from stepward.workflows.runs.run_store import TaskRecorder, WorkflowPorts
from stepward.workflows.runs.run_view import read_run_view
from stepward.workflows.runs.slots import RunSlot
from stepward.workflows.runs.task_entry import wake

# Answers to tasks.


@dataclass(frozen=True)
class AnswerTask:
    """Records an answer, then wakes the machine: in this order, so that no answer is lost."""

    ports: WorkflowPorts
    resumes: bool = False
    """Whether to take a free slot for the run; without the grant its next task does so."""

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        """Answer a task.

        time →   answer: record ✓ ─ token? ─ wake          task: token ✓ ─ record? ─ wakes itself
                 answer: next attempt marked ✓ ─ refuse    task: entered again ─ finds the mark ─ starts that attempt

        Returns:
            The record that stays; None where another attempt is to be made.
        """
        key = RunKey(tenant=tenant, run=run)
        program = self.ports.program(tenant, place.workflow, place.version)
        planned = program.tasks[place.path]
        may_try_again = place.attempt < retry_of(program.definition, planned.task).attempts
        if outcome.error and may_try_again and self._is_another_attempts(key, program, place, outcome):
            self._next_attempt(key, place, f"{outcome.error.code}: {outcome.error.detail}")
            return None
        record = self._record(key, program, place, _accepted(planned, outcome))
        kept = TaskRecorder(self.ports, key, program)(planned, place.at, record)
        token = self.ports.tokens.of(key, str(place.key))
        if token and self.resumes:
            RunSlot(self.ports, key).resume(str(place.key))
        if token:
            fails = kept.status is TaskStatus.FAILED and fails_the_run(program, planned)
            wake(self.ports, token, kept, fails=fails)
        return kept

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        """Return whether the task still waits for this attempt.

        It has no record and no later attempt, and the run has not ended.
        """
        key = RunKey(tenant=tenant, run=run)
        head = self.ports.runs.head(key)
        if head is None or head.ended:
            return False
        view = read_run_view(
            self.ports, key, self.ports.program(tenant, place.workflow, place.version), place.path, place.at
        )
        newest = max((mark.attempt for mark in view.begun), default=place.attempt)
        return view.own is None and newest <= place.attempt

    def _is_another_attempts(
        self, key: RunKey, program: Program, place: TaskPlace, outcome: TaskOutcome
    ) -> bool:
        """Return whether a failed attempt is followed by another, and mark that one.

        The attempt may have been followed already, after its time was over or its failure was reported; its outcome does
        not matter then.

        time →   attempt 1: time over ─ attempt 2 marked        its run sees that none waits, ends, and reports: no matter
        """
        marks = read_run_view(self.ports, key, program, place.path, place.at).begun
        if any(mark.attempt > place.attempt for mark in marks):
            return True
        if not outcome.is_passing:
            return False
        has_address = waits_for_call(program.tasks[place.path])
        Attempts(self.ports, key, place.key, has_address).follow(
            place.attempt,
            before_usd_micros=place.before_usd_micros + outcome.cost_usd_micros,
            before_aws_usd_micros=place.before_aws_usd_micros + outcome.aws_usd_micros,
        )
        return True

    def _next_attempt(self, key: RunKey, place: TaskPlace, cause: str) -> None:
        """Have the machine make the marked attempt, unless it does so already.

        time →   answer: marked ✓ ─ ✗ dies        answered again: marked, not entered → refuse
        """
        token = self.ports.tokens.of(key, str(place.key))
        if token and not Attempts(self.ports, key, place.key).is_open(place.attempt + 1):
            self.ports.machines.refuse(token, TaskRetry.__name__, cause)

    def _record(self, key: RunKey, program: Program, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord:
        status = TaskStatus.COMPLETED if outcome.error is None else TaskStatus.FAILED
        record = TaskRecord(
            status=status,
            output=outcome.output,
            error=outcome.error,
            error_retryable=outcome.error is not None and outcome.is_passing,
            attempt=place.attempt,
            started_at=place.started_at,
            ended_at=iso(self.ports.clock.now()),
            cost_usd_micros=place.before_usd_micros + outcome.cost_usd_micros,
            runs_aws_usd_micros=place.before_aws_usd_micros + outcome.aws_usd_micros,
            child=outcome.child,
        )
        if outcome.error is None or program.tasks[place.path].task.fallback is None:
            return record
        return with_fallback(record, read_run_view(self.ports, key, program, place.path, place.at))


def _accepted(planned: PlannedTask, outcome: TaskOutcome) -> TaskOutcome:
    """Validate an answer by the task's type: a person's rejection may be a failure."""
    if outcome.error:
        return outcome
    try:
        find_type(planned.task.type).accept(settings_of(planned.task), outcome.output)
    except StepwardError as error:
        return outcome.model_copy(update={"error": RunError(code=error.code, detail=error.detail)})
    return outcome


# Calls from outside.


@dataclass(frozen=True)
class ReceiveCall:
    """The use case behind `POST /callbacks/{tenant}/{run_id}/{task}/{secret}`.

    The route has no authentication: only the receiver of the address knows its last part.
    """

    ports: WorkflowPorts
    answers: AnswerTask

    def __call__(self, tenant: str, run: str, task: str, secret: str, body: Any) -> dict[str, Any]:
        """Answer the task with the body of a callback.

        Args:
            tenant: Whose run it is.
            run: The run's id.
            task: The task's key, as in the address.
            secret: The secret of the attempt.
            body: What the task's output becomes.

        Returns:
            Run, task and status of the task.

        Raises:
            InvalidRequest: Tenant or run is malformed.
            NotFound: No task waits at this address.
            Conflict: The task is answered already.
        """
        check_id("tenant", tenant, TENANT_PATTERN)
        check_id("run_id", run, RUN_ID_PATTERN)
        path, _, at = task.partition("@")
        key, name = RunKey(tenant=tenant, run=run), TaskKey(path=path, at=at)
        head = self.ports.runs.head(key)
        marks = self.ports.store.snapshot(key, [], [name]).begun.get(name, ()) if head else ()
        mark = next((one for one in marks if one.child and is_secret(_secret(one), secret)), None)
        if head is None or mark is None:
            raise NotFound(
                "no task waits for a call at this address.", field="path", fix="use the address as it came"
            )
        place = TaskPlace(
            workflow=head.workflow,
            version=head.version,
            path=path,
            at=at,
            attempt=mark.attempt,
            started_at=mark.at,
            child=mark.child,
        )
        if not self.answers.waits(tenant, run, place):
            raise Conflict(
                f"the task {name} is not waiting any more.", field="path", fix="nothing is left to do"
            )
        kept = self.answers.answer(tenant, run, place, TaskOutcome(output=body))
        return {"run": run, "task": str(name), "status": kept.status.value if kept else "RUNNING"}


def callback_address(head: WorkflowHead, place: TaskPlace) -> str:
    """Return the path of a task's callback; each attempt has one of its own."""
    return callback_path(head.tenant, head.run, str(place.key), _secret(place))


def _secret(attempt: Begun | TaskPlace) -> str:
    """Return the secret of an attempt; attempts of 0.2.0 have only the random id of their run."""
    return attempt.secret or (attempt.child or "").removeprefix("run_")
