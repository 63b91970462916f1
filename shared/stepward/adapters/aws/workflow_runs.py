"""Heads of workflows' runs in the runtime table, beside those of agents' runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from stepward.adapters.aws import slots
from stepward.adapters.aws.clients import client
from stepward.adapters.aws.cost_book import cost_step
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import Item, Request, from_item, run_pk, to_item
from stepward.adapters.aws.run_lists import OPEN_SHARDS, ListPart, open_shard
from stepward.adapters.aws.task_store import DynamoTaskStore
from stepward.adapters.aws.transactions import (
    IDEMPOTENCY,
    Refused,
    Step,
    before_with,
    free_key,
    put_key,
    put_new,
    transact,
    update,
)
from stepward.adapters.aws.workflow_slots import HEAD, DynamoWorkflowSlots
from stepward.domain.costs import CostLine
from stepward.domain.errors import Bug
from stepward.domain.run_lists import RunFilter, RunSlice, place_of
from stepward.domain.run_queue import Slot, SlotState
from stepward.domain.runs import RunKey
from stepward.domain.task_records import WorkflowHead, WorkflowStatus
from stepward.ports.clock import Clock
from stepward.ports.run_queue import Freed
from stepward.ports.runs import IdempotencyKey
from stepward.ports.workflow_runs import NewWorkflowRun, WorkflowEnd


@dataclass(frozen=True)
class DynamoWorkflowRuns:
    """Keeps heads of workflows' runs in the runtime table."""

    table: str
    store: DynamoTaskStore
    clock: Clock

    @cached_property
    def slots(self) -> DynamoWorkflowSlots:
        """Moves the slots of these runs."""
        return DynamoWorkflowSlots(self.table, self.store)

    def start(self, new: NewWorkflowRun) -> tuple[WorkflowHead, bool]:
        """Create head, start, input and idempotency record together, or find the earlier run.

        time →   caller A: transaction ✓ ─ ✗ dies          caller A again, same key: ✗ the key is there → the same run
                 task: mark names the child ✓ start ✓ ─ ✗   task again: the head is there → the same run
                 caller B: no slot ✗ → transaction ✓ with a place in the queue
        """
        if new.limits is None:
            refused = self._try(new, None, [])
            return self._found(new, refused) if refused.by else (new.head, True)
        refused, tried = Refused({}), Slot()
        for tried in slots.slots_to_try(new.head.run, new.limits):
            taken = slots.take(self.table, new.head.key, tried, new.limits, past_others=False)
            refused = self._try(new, SlotState(slot=tried), taken)
            if not refused.by:
                return new.head, True
            if HEAD in refused or IDEMPOTENCY in refused:
                return self._found(new, refused)
        flags = slots.ask_for_wake_up(self.table, new.head.key, tried, refused)
        return self._join(new, flags)

    def _join(self, new: NewWorkflowRun, flags: list[Step]) -> tuple[WorkflowHead, bool]:
        queued = new.head.model_copy(update={"status": WorkflowStatus.PENDING})
        waiting = new.waiting
        steps = [slots.join(self.table, waiting), *flags]
        refused = self._try(replace(new, head=queued), SlotState(position=waiting.position), steps)
        return self._found(new, refused) if refused.by else (queued, True)

    def _try(self, new: NewWorkflowRun, slot_state: SlotState | None, more: list[Step]) -> Refused:
        head = new.head
        steps = [
            put_new(HEAD, self.table, _head_item(head)),
            *self.store.beginning(head.key, new.started, new.given, slot_state),
            *more,
        ]
        if new.idempotency:
            steps.append(put_key(self.table, head.tenant, head.run, new.idempotency, self.clock.now()))
        return transact(steps, f"starting {head.run}") or Refused({})

    def _found(self, new: NewWorkflowRun, refused: Refused) -> tuple[WorkflowHead, bool]:
        head, run = new.head, new.head.run
        if IDEMPOTENCY in refused and new.idempotency:
            run = before_with(self.table, head.tenant, new.idempotency)
        found = self.head(RunKey(tenant=head.tenant, run=run))
        if found is None:
            raise Bug(f"{head.run} could not be started: {', '.join(refused.by)}")
        return found, False

    def head(self, key: RunKey) -> WorkflowHead | None:
        """Read a head of a workflow's run; None for an agent's."""
        where = to_item({"pk": run_pk(key), "sk": "HEAD"})
        with translated(f"reading {key.run}"):
            item = (
                client("dynamodb").get_item(TableName=self.table, Key=where, ConsistentRead=True).get("Item")
            )
        return _read(item) if item and "workflow" in item and "withdrawn" not in item else None

    def withdraw(self, head: WorkflowHead, idempotency: IdempotencyKey | None) -> Freed:
        """Withdraw a start: remove the head from all lists, and let it and its key expire.

        Functions that start runs may not delete.

        time →   start: head ✓ ─ no machine ─ withdrawn ✓           the same key again: free → another run
                 start: head ✓ ─ no machine ─ ✗ dies                the same key again, janitor: the head is there → started
        """
        now_s = int(self.clock.now().timestamp())
        lists = "gsi1pk, gsi1sk, gsi2pk, gsi2sk, gsi3pk, gsi3sk"
        step = update(
            HEAD,
            self.table,
            {"pk": run_pk(head.key), "sk": "HEAD"},
            f"SET withdrawn = :yes, expires_at = :now REMOVE {lists}",
            {":yes": True, ":now": now_s},
            "attribute_exists(pk) AND attribute_not_exists(ended_at)",
        )
        keys = [free_key(self.table, head.tenant, head.run, idempotency)] if idempotency else []
        return self.slots.end(head.key, [step, *keys], expires_at=now_s)

    def close(self, key: RunKey, end: WorkflowEnd, cost: CostLine | None = None) -> Freed:
        """Write the end, book its cost, return the slot, and take the run out of the open ones.

        time →   settle: end ✓ cost ✓ slot ✓          cancel, or settle again: end ✗ cost ✗ slot ✗ → it had ended
                 task: gives the slot back ✓           settle: the slot state has changed ✗ → reads it again
        """
        said = end.model_dump(mode="json", exclude_none=True)
        names = {f"#{name}": name for name in said}
        sets = ", ".join(f"#{name} = :{name}" for name in said)
        step = update(
            HEAD,
            self.table,
            {"pk": run_pk(key), "sk": "HEAD"},
            f"SET {sets} REMOVE gsi3pk, gsi3sk",
            {f":{name}": value for name, value in said.items()},
            "attribute_exists(pk) AND attribute_not_exists(ended_at)",
            names,
        )
        costs = [cost_step(self.table, key, cost)] if cost else []
        return self.slots.end(key, [step, *costs])

    def list_runs(
        self, tenant: str, wanted: RunFilter, *, limit: int, before: str | None = None
    ) -> RunSlice[WorkflowHead]:
        """List runs, newest first: of one workflow, or of all of a tenant."""
        listed = (
            ListPart(self.table, "GSI2", f"T#{tenant}#WORKFLOW#{wanted.name}")
            if wanted.name
            else ListPart(self.table, "GSI1", f"T#{tenant}#WORKFLOWRUNS")
        )
        items, reached = listed.newest(wanted, before, limit + 1)
        return RunSlice.cut([_read(item) for item in items], limit, reached)

    def count_open(self, tenant: str, workflow: str, version: str) -> int:
        """Count a version's open runs in the list of its workflow."""
        request = _query(self.table, "GSI2", f"T#{tenant}#WORKFLOW#{workflow}", 1_000)
        open_ones = 0
        with translated(f"counting the runs of {workflow}"):
            for page in client("dynamodb").get_paginator("query").paginate(**request):
                heads = [_read(item) for item in page["Items"]]
                open_ones += sum(head.version == version and not head.ended for head in heads)
        return open_ones

    def open_runs(self, created_before: str, limit: int) -> list[WorkflowHead]:
        """List open runs of all tenants from the sparse index, to the last page.

        A page ends after 1 MB.
        """
        found: list[WorkflowHead] = []
        for shard in range(OPEN_SHARDS):
            request = {
                "TableName": self.table,
                "IndexName": "GSI3",
                "KeyConditionExpression": "gsi3pk = :pk AND gsi3sk < :before",
                "ExpressionAttributeValues": to_item(
                    {":pk": f"WORKFLOWS#{shard}", ":before": created_before}
                ),
                "PaginationConfig": {"MaxItems": limit},
            }
            with translated("listing open workflow runs"):
                pages = client("dynamodb").get_paginator("query").paginate(**request)
                found += [_read(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda head: head.created_at)[:limit]


def _query(table: str, index: str, partition: str, limit: int) -> Request:
    return {
        "TableName": table,
        "IndexName": index,
        "KeyConditionExpression": f"{index.lower()}pk = :pk",
        "ExpressionAttributeValues": to_item({":pk": partition}),
        "ScanIndexForward": False,
        "Limit": limit,
    }


def _head_item(head: WorkflowHead) -> Item:
    """Lay out a head with its keys in all lists."""
    listed = place_of(head)
    return to_item(
        {
            "pk": run_pk(head.key),
            "sk": "HEAD",
            "gsi1pk": f"T#{head.tenant}#WORKFLOWRUNS",
            "gsi1sk": listed,
            "gsi2pk": f"T#{head.tenant}#WORKFLOW#{head.workflow}",
            "gsi2sk": listed,
            "gsi3pk": f"WORKFLOWS#{open_shard(head.run)}",
            "gsi3sk": listed,
            **head.model_dump(mode="json", exclude_none=True),
        }
    )


def _read(item: Item) -> WorkflowHead:
    return WorkflowHead.model_validate(from_item(item))
