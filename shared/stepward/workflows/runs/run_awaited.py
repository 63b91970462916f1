"""Start what answers a task later: an agent, a workflow, an approval, a callback."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stepward.domain.errors import Bug, PlatformFault, StepwardError, TaskRetry
from stepward.domain.runs import RunError
from stepward.ports.clock import from_iso
from stepward.ports.tasks import Begun
from stepward.tasks.base import Ready, TaskType
from stepward.workflows.program.tasks import retry_of
from stepward.workflows.runs.attempts import Attempts, newest, waits_for_call
from stepward.workflows.runs.run_inline import TaskServices
from stepward.workflows.runs.run_view import read_run_view
from stepward.workflows.runs.task_entry import TaskEntry


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
