"""Tasks of workflows: their records in the journal, and the answers to them from outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.errors import Bug
from stepward.domain.run_queue import SlotState
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import TaskKey, TaskPlace, TaskRecord


class WorkflowStarted(BaseModel):
    """How a run began; written once, beside its input."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    v: int = 1
    workflow: str
    version: str
    principal: str
    at: str
    deadline_at: str
    ancestors: tuple[str, ...] = ()
    """The workflows above this one, so that none runs within itself endlessly."""
    rerun_of: str | None = None


class Begun(BaseModel):
    """The mark of one attempt before its effect: what it starts, and its deadline."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    attempt: int
    at: str
    due_at: str | None = None
    child: str | None = None
    secret: str | None = None
    """The secret in the address at which a call from outside answers the attempt."""
    before_usd_micros: int = 0
    before_aws_usd_micros: int = 0
    """The cost of the runs of earlier attempts."""
    writer: str | None = None
    """The writer of a mark for an effect that may happen once only; distinguishes simultaneous writers."""


@dataclass(frozen=True)
class Latch:
    """One item as a write has left it: what is settled in it, and what waits."""

    records: dict[str, TaskRecord] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    """The paths that have a record here, or a notice of one in another latch."""
    waiting: dict[str, str] = field(default_factory=dict)
    """Joins → their tokens."""


@dataclass(frozen=True)
class LatchKey:
    """Names a latch of a run: `at` is the round of the bodies that it is in."""

    latch: str
    at: str = ""


@dataclass(frozen=True)
class Inherited:
    """What a run takes over: a record, or None for one that is in another latch."""

    latch: LatchKey
    path: str
    record: TaskRecord | None


@dataclass(frozen=True)
class RunSnapshot:
    """A run as one read has found it."""

    started: WorkflowStarted
    cancelled_by: str | None
    records: dict[TaskKey, TaskRecord] = field(default_factory=dict)
    begun: dict[TaskKey, tuple[Begun, ...]] = field(default_factory=dict)
    slot_state: SlotState | None = None
    """Whether the run holds a slot; None for one that began before those of workflows were counted."""
    latches: dict[LatchKey, Latch] = field(default_factory=dict)
    """The latches among those read at which a join waits, or has waited."""


class TaskStore(Protocol):
    """Records of tasks; of two writers of one record the first stays, and the other sees it."""

    def snapshot(self, key: RunKey, latches: Sequence[LatchKey], begun: Sequence[TaskKey]) -> RunSnapshot:
        """Read a run with the records of some latches and the marks of some tasks, in one call.

        Args:
            key: The run.
            latches: The latches whose records are read.
            begun: The tasks whose marks are read.

        Returns:
            The run with these.

        Raises:
            NotFound: There is no such run.
        """

    def given(self, key: RunKey) -> Any:
        """Read the run's input.

        Args:
            key: The run.

        Returns:
            The input, parsed from JSON.

        Raises:
            NotFound: There is no such run.
        """

    def keep(self, key: RunKey, latch: LatchKey, path: str, record: TaskRecord) -> tuple[TaskRecord, Latch]:
        """Store a task's first record.

        Args:
            key: The run.
            latch: The latch that holds the task's record.
            path: The task's path.
            record: The record.

        Returns:
            The record that stays, and the latch as it is now.
        """

    def notify_latch(self, key: RunKey, latch: LatchKey, path: str) -> Latch:
        """Note in another latch that a task has its record.

        Args:
            key: The run.
            latch: The other latch.
            path: The task's path.

        Returns:
            That latch as it is now.
        """

    def park(self, key: RunKey, latch: LatchKey, join: str, token: str, needs: Iterable[str]) -> bool:
        """Store a join's token while one of its tasks has no record.

        Args:
            key: The run.
            latch: The latch.
            join: The join's name.
            token: Its token.
            needs: The paths of the tasks that it waits for.

        Returns:
            False, and no token is stored, if all have records.
        """

    def begin(self, key: RunKey, task: TaskKey, begun: Begun) -> tuple[Begun, bool]:
        """Mark an attempt before its effect; the first mark stays.

        Args:
            key: The run.
            task: The task.
            begun: The mark.

        Returns:
            The mark that stays, and whether it is ours.
        """

    def put_value(self, key: RunKey, name: str, value: Any) -> None:
        """Store a value that is too large for a record, or a body's items.

        Args:
            key: The run.
            name: The value's name.
            value: The value, which must be JSON.
        """

    def value(self, key: RunKey, name: str) -> Any:
        """Read a value that `put_value` stored.

        Args:
            key: The run.
            name: The value's name.

        Returns:
            The value.

        Raises:
            NotFound: There is none.
        """

    def copy_values(self, source: RunKey, target: RunKey) -> None:
        """Give a run all values of another one but its input and output.

        Args:
            source: The run with the values.
            target: The run that gets them.
        """

    def inherit(self, key: RunKey, inherited: Sequence[Inherited]) -> None:
        """Write what a run takes over before it begins; an existing record stays.

        Args:
            key: The run.
            inherited: What it takes over.
        """

    def cancel(self, key: RunKey, by: str) -> bool:
        """Write that the run is to end.

        Args:
            key: The run.
            by: The principal that cancels.

        Returns:
            False if it was cancelled before.
        """

    def full_snapshot(self, key: RunKey) -> RunSnapshot:
        """Read a run with all records and all marks.

        Args:
            key: The run.

        Returns:
            The run.

        Raises:
            NotFound: There is no such run.
        """


class TaskOutcome(BaseModel):
    """A task's outcome from outside."""

    model_config = ConfigDict(defer_build=True)

    output: Any = None
    error: RunError | None = None
    is_passing: bool = False
    """Whether another attempt may do better."""
    cost_usd_micros: int = 0
    aws_usd_micros: int = 0
    """What AWS charges for the run that answers, and for those within it."""
    child: str | None = None


class TaskAnswers(Protocol):
    """The tasks that wait for an answer from outside."""

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        """Store the outcome and wake the machine.

        Args:
            tenant: Whose run.
            run: The run's id.
            place: The task, and the attempt that is answered.
            outcome: The outcome.

        Returns:
            The task's record; None where another attempt is made.
        """

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        """Return whether the task still waits for this attempt's answer.

        Args:
            tenant: Whose run.
            run: The run's id.
            place: The task, and the attempt.

        Returns:
            True if it waits.
        """


class NoTasks:
    """The port where no workflow runs: no run is a task's child, so it is never called."""

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        """Refuse: there is no such task."""
        raise Bug(f"nothing here carries the task {place.key} of {run} of {tenant}: {outcome.error}")

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        """Refuse: there is no such task."""
        raise Bug(f"nothing here carries the task {place.key} of {run} of {tenant}")
