"""Runs of workflows: heads, slots, state machines, and what agents' runs ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.aws_prices import AwsCost
from stepward.domain.chunks import Chunk
from stepward.domain.costs import CostLine
from stepward.domain.run_lists import RunFilter, RunSlice
from stepward.domain.run_origins import Compensation
from stepward.domain.run_queue import QueuedRun, queue_position
from stepward.domain.runs import RunError, RunKey
from stepward.domain.slot_state import SlotState
from stepward.domain.task_records import WorkflowHead, WorkflowStatus, WorkflowTotals
from stepward.ports.runs import Freed, IdempotencyKey, NoSlot, SlotLimits
from stepward.ports.tasks import WorkflowStarted


@dataclass(frozen=True)
class NewWorkflowRun:
    """Everything that a run's start writes; without `limits` it takes no slot."""

    head: WorkflowHead
    started: WorkflowStarted
    given: Any
    idempotency: IdempotencyKey | None = None
    limits: SlotLimits | None = None

    @property
    def waiting(self) -> QueuedRun:
        """The place in the run queue, for a run that finds no slot."""
        head = self.head
        place = queue_position(head.priority, head.created_at, head.run)
        return QueuedRun(
            tenant=head.tenant, run=head.run, place=place, seq=0, agent="", workflow=head.workflow
        )


class WorkflowEnd(BaseModel):
    """What a run's end writes into its head."""

    model_config = ConfigDict(defer_build=True)

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
        """Create head, start and idempotency record, with a slot or a queue entry.

        A run that stands in the queue is PENDING. Or find what the key started; then the flag is False.
        Raises `Conflict` when the key was used with another request.
        """

    def head(self, key: RunKey) -> WorkflowHead | None:
        """Read a head, strongly consistent; None for a run that is not there, or is an agent's."""

    def withdraw(self, head: WorkflowHead, idempotency: IdempotencyKey | None) -> Freed:
        """Take back a start that no caller knows of; its key may start another run.

        Gives back its slot. Raises `StoreConflict` when that has just changed hands.
        """

    def close(self, key: RunKey, end: WorkflowEnd, cost: CostLine | None = None) -> Freed:
        """Write the first end, book the run's own cost, and give back its slot or place.

        `done` is False if it had ended before. Raises `StoreConflict` when the run's slot has just changed hands.
        """

    def list_runs(
        self, tenant: str, wanted: RunFilter, *, limit: int, before: str | None = None
    ) -> RunSlice[WorkflowHead]:
        """List runs, newest first, that match and come after the place `before`."""

    def count_open(self, tenant: str, workflow: str, version: str) -> int:
        """Count the runs of a version that have not ended."""

    def open_runs(self, created_before: str, limit: int) -> list[WorkflowHead]:
        """List runs of all tenants that have not ended: the janitor's list."""


class WorkflowMachines(Protocol):
    """The state machines of workflows' versions."""

    def start(
        self, head: WorkflowHead, chunk: Chunk | None = None, *, undoing: Compensation | None = None
    ) -> None:
        """Start an execution of a run, a chunk or a compensation; the same name is one start.

        Raises `MachineMissing` where the version's machine is gone, after it was ordered anew.
        """

    def is_made(self, machine: str) -> bool:
        """Tell whether a machine is there and can be started."""

    def request_publish(self, tenant: str, workflow: str, version: str) -> None:
        """Ask for a version's machine to be made; where it was made before, nothing happens."""

    def stop(self, head: WorkflowHead, error: str, cause: str, chunk: str | None = None) -> None:
        """End an execution, the run's or the chunk's of this name, if it is there and runs still."""

    def execution_status(
        self, head: WorkflowHead, chunk: Chunk | None = None
    ) -> Literal["running", "over", "never began"]:
        """Tell how the execution stands, the run's or a chunk's."""

    def answer(self, token: str) -> bool:
        """End a wait well; False when nobody waits with this token any more."""

    def refuse(self, token: str, error: str, cause: str) -> bool:
        """End a wait as failed; False when nobody waits with this token any more."""


class WorkflowSlots(Protocol):
    """Slots of workflows' runs; each change is one transaction with the counters."""

    def slot_state(self, key: RunKey) -> SlotState | None:
        """Read a run's slot state, strongly consistent; None for runs of older releases."""

    def change(
        self, key: RunKey, before: SlotState, after: SlotState, limits: SlotLimits, *, past_limit: bool = True
    ) -> Freed:
        """Change a run's state, taking or freeing a slot; return who waits for a freed one.

        A run that goes on takes its slot back even where the tenant has none left: its machine cannot wait for one.
        Such a slot is counted for the tenant alone, so that it keeps nobody else's runs waiting. Without `past_limit`
        nothing is changed then, and `done` is False.
        """

    def admit(
        self, waiting: QueuedRun, before: SlotState, limits: SlotLimits, deadline_at: str
    ) -> SlotState | NoSlot:
        """Give a run in the queue a slot, if one is free; its time begins to count then."""


class StateMachineAdmin(Protocol):
    """Makes machines in the one role that they all have."""

    def make(self, name: str, text: str, tags: Mapping[str, str]) -> None:
        """Create a machine, or find that it exists.

        Raises `StoreThrottled` when too many are made at once.

        Raises:
            InvalidRequest: Its text is invalid.
        """

    def remove(self, name: str) -> None:
        """Take a machine away; executions that go on end first."""


class ChildWorkflows(Protocol):
    """Runs of workflows by their names; a name that is none of them is left alone."""

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """End the run, and all that it has set going, if it has not ended."""

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Let no further task of the run begin; the janitor ends what it waits for."""

    def admit(self, waiting: QueuedRun, limits: SlotLimits) -> bool | NoSlot:
        """Give a queued run a slot and begin it; False if it is not queued any more."""


class NoWorkflows:
    """Where no workflow runs: no call waits for one."""

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """Leave the name alone."""

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Leave the name alone."""

    def admit(self, waiting: QueuedRun, limits: SlotLimits) -> bool | NoSlot:
        """Say that nobody stands there."""
        del waiting, limits
        return False
