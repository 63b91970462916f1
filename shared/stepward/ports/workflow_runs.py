"""Runs of workflows: heads, slots, state machines, and what agents' runs need of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.aws_prices import AwsCost
from stepward.domain.costs import CostLine
from stepward.domain.run_lists import RunFilter, RunSlice
from stepward.domain.run_queue import QueuedRun, SlotState, queue_position
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import WorkflowHead, WorkflowStatus, WorkflowTotals
from stepward.ports.run_queue import Freed, NoSlot, SlotLimits
from stepward.ports.runs import IdempotencyKey
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
        """The entry in the run queue, for a run that finds no slot."""
        head = self.head
        position = queue_position(head.priority, head.created_at, head.run)
        return QueuedRun(
            tenant=head.tenant, run=head.run, position=position, seq=0, agent="", workflow=head.workflow
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
        """What AWS charges for the run and its child runs."""
        return self.totals.runs_aws_usd_micros + (self.aws.usd_micros if self.aws else 0)


class WorkflowRuns(Protocol):
    """The runtime table's part for workflows."""

    def start(self, new: NewWorkflowRun) -> tuple[WorkflowHead, bool]:
        """Create head, start record and idempotency record, with a slot or a queue entry.

        A queued run is PENDING.

        Args:
            new: What is written.

        Returns:
            The head, and whether it is new: False for the run that the same key started before.

        Raises:
            Conflict: The idempotency key was used with another request.
        """

    def head(self, key: RunKey) -> WorkflowHead | None:
        """Read a head, strongly consistent.

        Args:
            key: The run.

        Returns:
            The head; None for a run that does not exist, or is an agent's.
        """

    def withdraw(self, head: WorkflowHead, idempotency: IdempotencyKey | None) -> Freed:
        """Take back a start that no caller knows of, with its slot; its key may start another run.

        Args:
            head: The run.
            idempotency: The key of the start, if it had one.

        Returns:
            Which queues wait for the freed slot.

        Raises:
            StoreConflict: The run's slot has just changed hands.
        """

    def close(self, key: RunKey, end: WorkflowEnd, cost: CostLine | None = None) -> Freed:
        """Write the first end, book the run's own cost, and return its slot or queue entry.

        Args:
            key: The run.
            end: The end.
            cost: The run's own cost, if any.

        Returns:
            Which queues wait for the freed slot; `done` is False if the run had ended before.

        Raises:
            StoreConflict: The run's slot has just changed hands.
        """

    def list_runs(
        self, tenant: str, wanted: RunFilter, *, limit: int, before: str | None = None
    ) -> RunSlice[WorkflowHead]:
        """List runs that match a filter.

        Args:
            tenant: Whose runs.
            wanted: The filter.
            limit: How many at most.
            before: The `reached` of the slice before; None for the newest runs.

        Returns:
            The runs, newest first.
        """

    def count_open(self, tenant: str, workflow: str, version: str) -> int:
        """Count the runs of a version that have not ended.

        Args:
            tenant: Whose workflow.
            workflow: The workflow's id.
            version: The version's number.

        Returns:
            The count.
        """

    def open_runs(self, created_before: str, limit: int) -> list[WorkflowHead]:
        """List runs that have not ended, for the janitor.

        Args:
            created_before: The time before which they were started, in UTC.
            limit: How many at most.

        Returns:
            Runs of all tenants.
        """


class WorkflowSlots(Protocol):
    """Slots of workflows' runs; each change is one transaction with the counters."""

    def slot_state(self, key: RunKey) -> SlotState | None:
        """Read a run's slot state, strongly consistent.

        Args:
            key: The run.

        Returns:
            The state; None for runs of older releases.
        """

    def change(
        self, key: RunKey, before: SlotState, after: SlotState, limits: SlotLimits, *, past_limit: bool = True
    ) -> Freed:
        """Change a run's slot state, taking or freeing a slot.

        A run that continues takes its slot back even where the tenant has none left, for its machine cannot
        wait for one. Such a slot is counted for the tenant alone, so that it delays no other tenant's runs.

        Args:
            key: The run.
            before: The state as it was read.
            after: The new state.
            limits: How many runs may be active.
            past_limit: Whether a slot may be taken above the limit, by default True; if not, nothing is
                changed then.

        Returns:
            Which queues wait for a freed slot; `done` is False if nothing was changed for lack of a slot.

        Raises:
            StoreConflict: The state is not `before` any more.
        """

    def admit(
        self, waiting: QueuedRun, before: SlotState, limits: SlotLimits, deadline_at: str
    ) -> SlotState | NoSlot:
        """Give a queued run a slot if one is free; its time begins to count then.

        Args:
            waiting: The run's queue entry.
            before: The slot state as it was read.
            limits: How many runs may be active.
            deadline_at: The run's new deadline, in UTC.

        Returns:
            The new slot state, or that no slot is free.

        Raises:
            StoreConflict: The state is not `before` any more.
        """


class ChildWorkflows(Protocol):
    """Workflow runs that agents' runs have started; ids that are none of them are ignored."""

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """End a run and its child runs, unless it has ended.

        Args:
            tenant: Whose run.
            run: The run's id.
            by: The principal that cancels.
        """

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Let no further task of the run begin; the janitor ends what it waits for.

        Args:
            tenant: Whose run.
            run: The run's id.
            by: The principal or the reason that ends it.
        """

    def admit(self, waiting: QueuedRun, limits: SlotLimits) -> bool | NoSlot:
        """Give a queued run a slot and begin it.

        Args:
            waiting: The run's queue entry.
            limits: How many runs may be active.

        Returns:
            True if it has begun, False if it is not queued any more, or that no slot is free.
        """


class NoWorkflows:
    """The port where no workflow runs: no call waits for one."""

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """Ignore the id."""

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Ignore the id."""

    def admit(self, waiting: QueuedRun, limits: SlotLimits) -> bool | NoSlot:
        """Return that the run is not queued."""
        del waiting, limits
        return False
