"""Mark the attempts at a task that is answered from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stepward.domain.programs import PlannedTask
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey
from stepward.ports.clock import from_iso, iso
from stepward.ports.tasks import Begun
from stepward.tasks.catalog import settings_of, type_of
from stepward.workflows.runs.run_store import WorkflowPorts

OPENING: Final = timedelta(seconds=15)
"""How long after a state is entered its function may first read the clock, with a cold start."""


@dataclass(frozen=True)
class Attempts:
    """The attempts at one task, marked in the order in which they are made."""

    ports: WorkflowPorts
    key: RunKey
    task: TaskKey
    has_address: bool = False
    """Whether a callback answers each attempt, at an address of its own."""

    def first(self) -> Begun:
        """Begin the first attempt, or return the mark of one that has begun."""
        mark = Begun(attempt=1, at=self._now, child=self.ports.ids.new("run"), secret=self._secret)
        return self.ports.store.begin(self.key, self.task, mark)[0]

    def follow(self, attempt: int, *, before_usd_micros: int = 0, before_aws_usd_micros: int = 0) -> Begun:
        """Mark the attempt after one that failed; a second call returns the same mark.

        Args:
            attempt: The number of the attempt that failed.
            before_usd_micros: What the runs of all attempts until now have cost: their records are never written.
            before_aws_usd_micros: What AWS charges for those runs.

        Returns:
            The mark that is kept, with the id of the run that the next attempt may start.
        """
        mark = Begun(
            attempt=attempt + 1,
            at=self._now,
            child=self.ports.ids.new("run"),
            secret=self._secret,
            before_usd_micros=before_usd_micros,
            before_aws_usd_micros=before_aws_usd_micros,
        )
        return self.ports.store.begin(self.key, self.task, mark)[0]

    def enter(self, begun: Begun, entered: str | None, most_s: int | None) -> datetime | None:
        """Return since when an attempt runs, None if unknown; a new attempt begins now.

        The machine reports when it entered the state, which is when the first attempt began. A later one began at some
        time before this function first saw it.

        Args:
            begun: The attempt's mark.
            entered: When the machine entered the state, as ISO 8601.
            most_s: How long the attempt may take, in seconds.

        Returns:
            The time from which the attempt's seconds are counted.
        """
        if begun.attempt == 1:
            return from_iso(entered) if entered else None
        opened, is_new = self.ports.store.begin(
            self.key, opened_key(self.task), Begun(attempt=begun.attempt, at=self._now)
        )
        since = from_iso(opened.at)
        return since if is_new else since - min(OPENING, timedelta(seconds=(most_s or 0) / 2))

    def is_open(self, attempt: int) -> bool:
        """Return whether the machine has entered the state for a later attempt."""
        opened = opened_key(self.task)
        marks = self.ports.store.snapshot(self.key, [], [opened]).begun.get(opened, ())
        return any(mark.attempt == attempt for mark in marks)

    @property
    def _secret(self) -> str | None:
        return self.ports.ids.secret() if self.has_address else None

    @property
    def _now(self) -> str:
        return iso(self.ports.clock.now())


def waits_for_call(planned: PlannedTask) -> bool:
    """Return whether a callback answers a task."""
    return type_of(planned.task).has_address(settings_of(planned.task))


def newest(marks: tuple[Begun, ...]) -> Begun | None:
    """Return the mark of the latest attempt."""
    return max(marks, key=lambda mark: mark.attempt, default=None)


def opened_key(task: TaskKey) -> TaskKey:
    """Return the key of the marks that say when later attempts were entered."""
    return TaskKey(path=f"{task.path}~opened", at=task.at)
