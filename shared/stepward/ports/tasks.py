"""Tasks of workflows: their records in the journal, and the answers that come to them from outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.errors import Bug
from stepward.domain.runs import RunError, RunKey
from stepward.domain.slot_state import SlotState
from stepward.domain.task_records import TaskKey, TaskPlace, TaskRecord


class WorkflowStarted(BaseModel):
    """How a run began: written once, beside its input."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    v: int = 1
    workflow: str
    version: str
    principal: str
    at: str
    deadline_at: str
    ancestors: tuple[str, ...] = ()
    """The workflows above this one, so that none runs within itself for ever."""
    rerun_of: str | None = None


class Begun(BaseModel):
    """The mark of one attempt before its effect: what it starts, and its deadline."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    attempt: int
    at: str
    due_at: str | None = None
    child: str | None = None
    secret: str | None = None
    """What stands in the address at which a call from outside answers the attempt."""
    before_usd_micros: int = 0
    before_aws_usd_micros: int = 0
    """What the runs of earlier attempts have cost."""
    writer: str | None = None
    """Who marks what may happen once only: two who came at the same moment are not each other."""


@dataclass(frozen=True)
class Latch:
    """One item as a write has left it: what is settled in it, and who waits."""

    records: dict[str, TaskRecord] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    """The paths that have a record here, or have left word that they have one elsewhere."""
    waiting: dict[str, str] = field(default_factory=dict)
    """Joins → their tokens."""


@dataclass(frozen=True)
class LatchKey:
    """Names a latch of a run: `at` is the round of the bodies that it is in."""

    latch: str
    at: str = ""


@dataclass(frozen=True)
class Inherited:
    """What a run takes over: a record, or None for one that lies in another latch."""

    latch: LatchKey
    path: str
    record: TaskRecord | None


@dataclass(frozen=True)
class RunSnapshot:
    """What one look found."""

    started: WorkflowStarted
    cancelled_by: str | None
    records: dict[TaskKey, TaskRecord] = field(default_factory=dict)
    begun: dict[TaskKey, tuple[Begun, ...]] = field(default_factory=dict)
    standing: SlotState | None = None
    """Whether the run holds a slot; None for one that began before those of workflows were counted."""
    latches: dict[LatchKey, Latch] = field(default_factory=dict)
    """Those of the latches that were read at which somebody waits, or has waited."""


class TaskStore(Protocol):
    """Records of tasks; of two writers of one record the first stays, and the other sees it."""

    def look(self, key: RunKey, latches: Sequence[LatchKey], begun: Sequence[TaskKey]) -> RunSnapshot:
        """Read a run with the records of some latches and marks of some tasks, in one call.

        Raises `NotFound` without a run.
        """

    def given(self, key: RunKey) -> Any:
        """Read the run's input."""

    def keep(self, key: RunKey, latch: LatchKey, path: str, record: TaskRecord) -> tuple[TaskRecord, Latch]:
        """Keep a task's first record; return the one that stays, and the latch as it is now."""

    def notify_latch(self, key: RunKey, latch: LatchKey, path: str) -> Latch:
        """Say in another latch that a task has its record; answer that latch as it is now."""

    def park(self, key: RunKey, latch: LatchKey, join: str, token: str, needs: Iterable[str]) -> bool:
        """Leave a token while one of these is to come; False, and no token, if all have ended."""

    def begin(self, key: RunKey, task: TaskKey, begun: Begun) -> tuple[Begun, bool]:
        """Mark an attempt before its effect; the first stays, the flag says if it is ours."""

    def put_value(self, key: RunKey, name: str, value: Any) -> None:
        """Keep a value that is too large for a record, or a body's items."""

    def value(self, key: RunKey, name: str) -> Any:
        """Read such a value."""

    def copy_values(self, source: RunKey, target: RunKey) -> None:
        """Give a run all values of another but its output; its input it has."""

    def inherit(self, key: RunKey, inherited: Sequence[Inherited]) -> None:
        """Write what a run takes over before it begins; a record that is there stays."""

    def cancel(self, key: RunKey, by: str) -> bool:
        """Write that the run is to end; False if somebody did before."""

    def everything(self, key: RunKey) -> RunSnapshot:
        """Read how the run stands with all records and all marks. Raises `NotFound` without a run."""


class TaskOutcome(BaseModel):
    """What somebody outside brought for a task."""

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
    """The tasks that wait for somebody outside."""

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        """Keep the outcome and wake the machine; None where another attempt is made."""

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        """Tell whether the task still waits for this attempt's answer."""


class NoTasks:
    """Where no workflow runs: nobody is a task's child, so nobody asks."""

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        """Refuse: there is no such task."""
        raise Bug(f"nothing here carries the task {place.key} of {run} of {tenant}: {outcome.error}")

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        """Refuse: there is no such task."""
        raise Bug(f"nothing here carries the task {place.key} of {run} of {tenant}")
