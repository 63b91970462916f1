"""Sets going what answers a task later: an agent, another workflow, a person, a call from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from stepward.domain.errors import Bug, PlatformFault, StepwardError, TaskRetry
from stepward.domain.runs import RunError
from stepward.ports.clock import from_iso
from stepward.ports.task_store import Begun
from stepward.tasks.base import Ready, TaskType
from stepward.workflow.running.entry import Entry
from stepward.workflow.running.situation import look
from stepward.workflow.running.within import World


@dataclass(frozen=True)
class SetGoing:
    """Opens an awaited task: mark, token, a look whether it is answered, then whatever answers it."""

    entry: Entry
    world: World

    def __call__(self, kind: TaskType[Any], given: Ready[Any]) -> dict[str, Any]:
        """Set it going once; a task whose time is over ends here.

        time →   first:  mark names the child ✓ ─ ✗ dies        again: the mark names it: started by that name, once
                 answer: record ✓ ─ token? ─ wake               we: token ✓ ─ record? ─ wake
        """
        entry, request = self.entry, self.entry.request
        if request.token is None:
            raise Bug(f"{entry.situation.task} is awaited and came without a token")
        if seconds := self._overdue_s(kind, given):
            detail = f"nobody answered within {seconds} s."
            return entry.fail(RunError(code="TaskTimedOut", detail=detail))
        begun = self._begin()
        entry.ports.tokens.keep(entry.situation.key, str(entry.situation.task), request.token)
        context = self.world.context(entry, begun)
        try:
            kind.open(given, context)
        except PlatformFault:
            raise
        except StepwardError as error:
            return entry.fail(error)
        return self._look_again(begun, request.token)

    def _look_again(self, begun: Begun, token: str) -> dict[str, Any]:
        """Wake ourselves if an answer, or the wish for another attempt, came before our token was there.

        time →   we: look ─ nothing          answer: record or next mark ✓ ─ the older token          we: token ✓ ─ look
        """
        entry, before = self.entry, self.entry.situation
        now = look(entry.ports, before.key, entry.program, before.planned.path, entry.request.at)
        if now.own:
            return entry.finish(now.own)
        if any(mark.attempt > begun.attempt for mark in now.begun):
            entry.ports.machines.refuse(token, TaskRetry.__name__, "another attempt is to be made")
        return {}

    def _begin(self) -> Begun:
        """Find the attempt that is under way, or begin the first; each has the name of the run that it may start."""
        entry = self.entry
        if entry.situation.begun:
            return max(entry.situation.begun, key=lambda mark: mark.attempt)
        mark = Begun(attempt=1, at=entry.now, child=entry.ports.ids.new("run"))
        return entry.ports.store.begin(entry.situation.key, entry.situation.task, mark)[0]

    def _overdue_s(self, kind: TaskType[Any], given: Ready[Any]) -> int | None:
        """Say how long an answer may take, if that is over; the same time as the state's own."""
        entered = self.entry.request.entered
        seconds = self.entry.planned.task.timeout_s or kind.most_seconds(given.settings)
        if entered is None or seconds is None:
            return None
        is_over = self.entry.ports.clock.now() >= from_iso(entered) + timedelta(seconds=seconds)
        return seconds if is_over else None
