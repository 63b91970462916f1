"""Brings an answer from outside to the task that waits for it: a child's end, a person's decision, a call."""

from __future__ import annotations

from dataclasses import dataclass

from stepward.domain.errors import StepwardError, TaskRetry
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import TaskPlace, TaskRecord, TaskStatus
from stepward.ports.clock import iso
from stepward.ports.task_answers import TaskOutcome
from stepward.tasks.catalog import find_type, settings_of
from stepward.workflow.program_tasks import fails_the_run, retry_of
from stepward.workflow.running.attempts import Attempts, waits_for_call
from stepward.workflow.running.entry import wake
from stepward.workflow.running.holding import HoldSlot
from stepward.workflow.running.keeping import Keep
from stepward.workflow.running.ports import WorkflowPorts
from stepward.workflow.running.resolving import with_fallback
from stepward.workflow.running.situation import look


@dataclass(frozen=True)
class AnswerTask:
    """Keeps what came, then wakes the machine: first the record, then the token, so that no answer is lost."""

    ports: WorkflowPorts
    resumes: bool = False
    """Whether the run takes a free slot before it goes on; who may not write that leaves it to the run's next task."""

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        """Answer a task; the record that stays, or None where another attempt is to be made.

        time →   answer: record ✓ ─ token? ─ wake          task: token ✓ ─ record? ─ wakes itself
                 answer: next attempt marked ✓ ─ refuse    task: entered again ─ finds the mark ─ starts that attempt
        """
        key = RunKey(tenant=tenant, run=run)
        program = self.ports.program(tenant, place.workflow, place.version)
        planned = program.tasks[place.path]
        may_try_again = place.attempt < retry_of(program, planned).attempts
        if outcome.error and may_try_again and self._is_another_attempts(key, program, place, outcome):
            self._next_attempt(key, place, f"{outcome.error.code}: {outcome.error.detail}")
            return None
        record = self._record(key, program, place, _accepted(planned, outcome))
        kept = Keep(self.ports, key, program)(planned, place.at, record)
        token = self.ports.tokens.of(key, str(place.key))
        if token and self.resumes:
            HoldSlot(self.ports, key).resume(str(place.key))
        if token:
            fails = kept.status is TaskStatus.FAILED and fails_the_run(program, planned)
            wake(self.ports, token, kept, fails=fails)
        return kept

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        """Tell whether the task still waits for this attempt: no record, no later attempt, and the run goes on."""
        key = RunKey(tenant=tenant, run=run)
        head = self.ports.runs.head(key)
        if head is None or head.ended:
            return False
        situation = look(
            self.ports, key, self.ports.program(tenant, place.workflow, place.version), place.path, place.at
        )
        newest = max((mark.attempt for mark in situation.begun), default=place.attempt)
        return situation.own is None and newest <= place.attempt

    def _is_another_attempts(
        self, key: RunKey, program: Program, place: TaskPlace, outcome: TaskOutcome
    ) -> bool:
        """Say whether the failure of one attempt leaves the task to a later one, and mark that one.

        The attempt may be over already: its time was, or its failure was told before. What it ends as is then no matter.

        time →   attempt 1: time over ─ attempt 2 marked        its run sees that nobody waits, ends, and tells: no matter
        """
        marks = look(self.ports, key, program, place.path, place.at).begun
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
        """Have the machine make the attempt that is marked, unless it does so already.

        time →   answer: marked ✓ ─ ✗ dies        told again: marked, not entered → refuse
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
        return with_fallback(record, look(self.ports, key, program, place.path, place.at))


def _accepted(planned: PlannedTask, outcome: TaskOutcome) -> TaskOutcome:
    """Ask the task's type whether an answer is one: a person's no, for one, may be a failure."""
    if outcome.error:
        return outcome
    try:
        find_type(planned.task.type).accept(settings_of(planned.task), outcome.output)
    except StepwardError as error:
        return outcome.model_copy(update={"error": RunError(code=error.code, detail=error.detail)})
    return outcome
