"""Run a task in its own state, or start what answers it: a run, a person, a callback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from time import perf_counter, sleep
from typing import Any, Final

from stepward.domain.errors import Bug, PlatformFault, StepwardError, TaskRetry, TaskTimedOut
from stepward.domain.retries import LONGEST_CALL_S, LONGEST_PAUSE_S, Retry, asked_pause_s
from stepward.domain.runs import RunError
from stepward.domain.task_records import TaskPlace
from stepward.domain.tools import OUTCOME_UNKNOWN, Effect
from stepward.ports.clock import from_iso
from stepward.ports.tasks import Begun
from stepward.tasks.base import Ready, TaskType
from stepward.tasks.context import Done, Starter, TaskContext
from stepward.tools.base import ToolContext
from stepward.workflows.program.limits import CRASH_RETRIES
from stepward.workflows.program.tasks import retry_of
from stepward.workflows.runs.attempts import Attempts, newest, waits_for_call
from stepward.workflows.runs.run_store import completed
from stepward.workflows.runs.run_view import read_run_view
from stepward.workflows.runs.task_entry import TaskEntry

_RANDOM: Final = SystemRandom()
_SHARED_WITH_PLACE: Final = {"attempt", "child", "secret", "before_usd_micros", "before_aws_usd_micros"}


@dataclass(frozen=True)
class TaskServices:
    """What tasks may use: tools, the event bus, and the starts of awaited tasks."""

    tools: Callable[[str, str], ToolContext]
    put_event: Callable[[str, str, dict[str, Any]], None]
    starter: Starter
    pause: Callable[[float], None] = sleep

    def context(self, entry: TaskEntry, begun: Begun) -> TaskContext:
        """Return the context of one attempt of a task."""
        run, view = entry.request.run, entry.view
        place = TaskPlace(
            workflow=run.workflow,
            version=run.version,
            path=entry.planned.path,
            at=entry.at,
            started_at=begun.at,
            **begun.model_dump(include=_SHARED_WITH_PLACE),
        )
        return TaskContext(view.key, view.task, place, self.tools, self.put_event, self.starter)


@dataclass(frozen=True)
class RunInline:
    """Runs a task whose type does its own work."""

    entry: TaskEntry
    services: TaskServices

    def __call__(self, kind: TaskType[Any], given: Ready[Any]) -> dict[str, Any]:
        """Run the task and record the outcome; an attempt for the machine to repeat is raised."""
        entry, started_at = self.entry, self.entry.now
        if self._died_too_often():
            return entry.fail(RunError(code="TaskCrashed", detail="its process died in every attempt."))
        if kind.effect(given.settings) is Effect.ONCE and (before := self._mark()):
            return entry.fail(
                RunError(
                    code=OUTCOME_UNKNOWN,
                    detail=f"an attempt began at {before.at} and recorded no outcome; it may have happened.",
                )
            )
        context = self.services.context(entry, Begun(attempt=entry.attempt, at=started_at))
        done, attempt = self._attempts(self._in_time(kind, given, context))
        if isinstance(done, StepwardError):
            return self._failed(done, attempt, started_at)
        record = completed(
            done.output,
            attempt=attempt,
            started_at=started_at,
            ended_at=entry.now,
            cost_usd_micros=done.cost_usd_micros,
        )
        return entry.finish(record)

    def _in_time(self, kind: TaskType[Any], given: Ready[Any], context: TaskContext) -> Callable[[], Done]:
        """Run the work, and reject a result after the task's time, unless it had an effect.

        The time of resolving the first attempt's inputs counts too. Calls have time limits of their own.
        """
        clock, limit_s = self.entry.ports.clock, given.task.timeout_s
        begins = [self.entry.since]

        def work() -> Done:
            since = begins.pop() if begins else clock.now()
            done = kind.run(given, context)
            is_late = limit_s is not None and clock.now() - since > timedelta(seconds=limit_s)
            if is_late and kind.effect(given.settings) is Effect.NONE:
                raise TaskTimedOut(f"it took longer than its `timeout_s` of {limit_s} s.")
            return done

        return work

    def _failed(self, error: StepwardError, attempt: int, started_at: str) -> dict[str, Any]:
        rule = self._rule
        if error.retryable and rule.is_by_machine and self._may_wait(rule, error):
            raise TaskRetry(f"{error.code}: {error.detail}"[:1_000]) from error
        return self.entry.fail(error, attempt=attempt, started_at=started_at)

    def _may_wait(self, rule: Retry, error: StepwardError) -> bool:
        """Wait for the rest of a server's retry-after; return whether another attempt is allowed.

        The machine's pauses are fixed when it is compiled, and with jitter they may be zero.
        """
        asked_s, attempt = asked_pause_s(error), self.entry.attempt
        if rule.next_pause_s(attempt, 1.0, asked_s, LONGEST_PAUSE_S) is None:
            return False
        by_machine_s = 0 if rule.jitter else rule.pause_s(attempt)
        if (missing_s := (asked_s or 0) - by_machine_s) > 0:
            self.services.pause(missing_s)
        return True

    def _attempts(self, work: Callable[[], Done]) -> tuple[Done | StepwardError, int]:
        """Retry in this process where pauses are short or linear; return the last attempt too."""
        rule = self._rule
        number, used_s = 1, 0.0
        while True:
            began_s = perf_counter()
            try:
                return work(), self.entry.attempt + number - 1
            except StepwardError as error:
                attempt_s = perf_counter() - began_s
                used_s += attempt_s
                left_s = LONGEST_CALL_S - used_s - attempt_s
                pause_s = rule.next_pause_s(number, _RANDOM.random(), asked_pause_s(error), left_s)
                if not error.retryable or pause_s is None or rule.is_by_machine:
                    return error, self.entry.attempt + number - 1
            self.services.pause(pause_s)
            used_s += pause_s
            number += 1

    @property
    def _rule(self) -> Retry:
        return retry_of(self.entry.program.definition, self.entry.planned.task)

    def _mark(self) -> Begun | None:
        """Mark an effect that may happen only once before it does; return an earlier mark.

        time →   first: mark ✓ ── effect ── ✗ dies        again: the mark is there → outcome unknown, no effect
                 two in one millisecond: mark ✓ effect    the other: the mark has another writer → no effect
        """
        entry = self.entry
        mark = Begun(attempt=1, at=entry.now, writer=entry.ports.ids.new("mark"))
        kept, is_ours = entry.ports.store.begin(entry.view.key, entry.view.task, mark)
        return None if is_ours else kept

    def _died_too_often(self) -> bool:
        rule = self._rule
        by_rule = rule.attempts - 1 if rule.is_by_machine else 0
        return self.entry.request.tries > by_rule + CRASH_RETRIES


@dataclass(frozen=True)
class RunAwaited:
    """Starts an awaited task: mark, token, check for an answer, then the start itself."""

    entry: TaskEntry
    services: TaskServices

    def __call__(self, kind: TaskType[Any], given: Ready[Any]) -> dict[str, Any]:
        """Start it once; an attempt whose time is over ends here, and may be followed by another.

        time →   first:  mark names the child ✓ ─ ✗ dies        again: the mark names it: started by that name, once
                 answer: record ✓ ─ token? ─ wake               we: token ✓ ─ record? ─ wake
        """
        entry, request = self.entry, self.entry.request
        if request.token is None:
            raise Bug(f"{entry.view.task} is awaited and came without a token")
        seconds = entry.planned.task.timeout_s or kind.most_seconds(given.settings)
        begun = newest(entry.view.begun)
        if begun is None and self._is_over(self._entered, seconds):
            return self._out_of_time(Begun(attempt=1, at=entry.now), seconds)
        begun = begun or self._attempts.first()
        if self._is_over(self._attempts.enter(begun, request.entered, seconds), seconds):
            return self._out_of_time(begun, seconds)
        name = str(entry.view.task)
        if not entry.ports.tokens.keep(entry.view.key, name, request.token, request.made):
            return {}  # the machine has given this token up for a newer one
        entry.release_slot()
        try:
            kind.open(given, self.services.context(entry, begun))
        except PlatformFault:
            raise
        except StepwardError as error:
            return self._failed(begun, error, retryable=error.retryable)
        return self._look_again(begun, request.token)

    def _out_of_time(self, begun: Begun, seconds: int | None) -> dict[str, Any]:
        """End an attempt without an answer; another follows only if the task's type says so."""
        error = RunError(code="TaskTimedOut", detail=f"there was no answer within {seconds} s.")
        asks_again = self.entry.planned.task.asks_again and self.entry.program.retries_timeouts
        return self._failed(begun, error, retryable=asks_again)

    def _failed(self, begun: Begun, error: StepwardError | RunError, *, retryable: bool) -> dict[str, Any]:
        """End an attempt: by another one if the error is transient and attempts are left."""
        entry = self.entry
        if not retryable or begun.attempt >= retry_of(entry.program.definition, entry.planned.task).attempts:
            return entry.fail(error, attempt=begun.attempt)
        before = begun.model_dump(include={"before_usd_micros", "before_aws_usd_micros"})
        self._attempts.follow(begun.attempt, **before)
        raise TaskRetry(f"{error.code}: {error.detail}"[:1_000])

    def _look_again(self, begun: Begun, token: str) -> dict[str, Any]:
        """Answer the token if an answer or a further attempt came before it was stored.

        time →   we: look ─ nothing          answer: record or next mark ✓ ─ the older token          we: token ✓ ─ look
        """
        entry, before = self.entry, self.entry.view
        now = read_run_view(entry.ports, before.key, entry.program, before.planned.path, entry.request.at)
        if now.own:
            return entry.finish(now.own)
        if any(mark.attempt > begun.attempt for mark in now.begun):
            entry.ports.machines.refuse(token, TaskRetry.__name__, "another attempt is to be made")
        return {}

    @property
    def _attempts(self) -> Attempts:
        view = self.entry.view
        has_address = waits_for_call(self.entry.planned)
        return Attempts(self.entry.ports, view.key, view.task, has_address)

    @property
    def _entered(self) -> datetime | None:
        entered = self.entry.request.entered
        return from_iso(entered) if entered else None

    def _is_over(self, since: datetime | None, seconds: int | None) -> bool:
        """Return whether an attempt's time is over, which is the same as the state's own."""
        if since is None or seconds is None:
            return False
        return self.entry.ports.clock.now() >= since + timedelta(seconds=seconds)
