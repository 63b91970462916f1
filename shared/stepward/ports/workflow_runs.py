"""Heads of workflows' runs, and the machines that carry them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from stepward.domain.aws_prices import AwsCost
from stepward.domain.chunks import Chunk
from stepward.domain.costs import CostLine
from stepward.domain.line import InLine, place_in_line
from stepward.domain.run_lists import RunFilter, RunSlice
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import WorkflowHead, WorkflowStatus, WorkflowTotals
from stepward.domain.undoing import Undoing
from stepward.ports.runtime_state import Freed, IdempotencyKey, SlotLimits
from stepward.ports.task_store import WorkflowStarted


@dataclass(frozen=True)
class NewWorkflowRun:
    """Everything that a run's start writes; without `limits` it holds no slot and is not counted."""

    head: WorkflowHead
    started: WorkflowStarted
    given: Any
    idempotency: IdempotencyKey | None = None
    limits: SlotLimits | None = None

    @property
    def waiting(self) -> InLine:
        """The place in the run queue, for a run that finds no slot."""
        head = self.head
        place = place_in_line(head.priority, head.created_at, head.run)
        return InLine(tenant=head.tenant, run=head.run, place=place, seq=0, agent="", workflow=head.workflow)


class WorkflowEnd(BaseModel):
    """What a run's end writes into its head."""

    status: WorkflowStatus
    ended_at: str
    error: RunError | None = None
    totals: WorkflowTotals
    aws: AwsCost | None = None
    output_bytes: int = 0

    @property
    def aws_usd_micros(self) -> int:
        """What AWS charges for the run and for those within it."""
        return self.totals.runs_aws_usd_micros + (self.aws.usd_micros if self.aws else 0)


class WorkflowRuns(Protocol):
    """The runtime table's part for workflows."""

    def start(self, new: NewWorkflowRun) -> tuple[WorkflowHead, bool]:
        """Create head, start and idempotency record together, with a slot if one is free, else with a place in the queue.

        A run that stands in the queue is PENDING. Or find what the key started; then the flag is False.
        Raises `Conflict` when the key was used with another request.
        """

    def head(self, key: RunKey) -> WorkflowHead | None:
        """Read a head, strongly consistent; None for a run that is not there, or is an agent's."""

    def withdraw(self, head: WorkflowHead, idempotency: IdempotencyKey | None) -> Freed:
        """Take back a start that nobody has been told of: there is no such run, and its key may start another.

        Gives back its slot. Raises `StoreConflict` when that has just changed hands.
        """

    def close(self, key: RunKey, end: WorkflowEnd, cost: CostLine | None = None) -> Freed:
        """Write the end if there is none, what the run itself cost into the book, and give back its slot or its place.

        `done` is False if it had ended before. Raises `StoreConflict` when the run's slot has just changed hands.
        """

    def list_runs(
        self, tenant: str, wanted: RunFilter, *, limit: int, before: str | None = None
    ) -> RunSlice[WorkflowHead]:
        """List runs, newest first: those that are wanted and come after the place `before` in the list."""

    def count_open(self, tenant: str, workflow: str, version: str) -> int:
        """Count the runs of a version that have not ended."""

    def open_runs(self, created_before: str, limit: int) -> list[WorkflowHead]:
        """List runs of all tenants that have not ended: the janitor's list."""


class WorkflowMachines(Protocol):
    """The state machines of workflows' versions."""

    def start(
        self, head: WorkflowHead, chunk: Chunk | None = None, *, undoing: Undoing | None = None
    ) -> None:
        """Start a run's execution, that of a chunk of it, or one that undoes it; the same name twice is one start.

        Raises `MachineMissing` where the version's machine is gone, after it was ordered anew.
        """

    def is_made(self, machine: str) -> bool:
        """Tell whether a machine is there and can be started."""

    def order(self, tenant: str, workflow: str, version: str) -> None:
        """Ask for a version's machine to be made; where it was made before, nothing happens."""

    def stop(self, head: WorkflowHead, error: str, cause: str, chunk: str | None = None) -> None:
        """End an execution, the run's or the chunk's of this name, if it is there and runs still."""

    def standing(
        self, head: WorkflowHead, chunk: Chunk | None = None
    ) -> Literal["running", "over", "never began"]:
        """Tell how the execution stands, the run's or a chunk's."""

    def answer(self, token: str) -> bool:
        """End a wait well; False when nobody waits with this token any more."""

    def refuse(self, token: str, error: str, cause: str) -> bool:
        """End a wait as failed; False when nobody waits with this token any more."""
