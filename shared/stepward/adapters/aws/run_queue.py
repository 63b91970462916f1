"""The run queue in DynamoDB, a sorted partition a tenant, and its wake-ups on SQS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import CONDITION_FAILED, error_code, translated
from stepward.adapters.aws.items import Request, from_item, to_item
from stepward.adapters.aws.slots import counter_key, position_key
from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.run_queue import QueuedRun
from stepward.ports.run_queue import QueueView, SlotCount, view_of

_WAITING: Final = "WAITING"
_TENANTS_READ: Final = 200


@dataclass(frozen=True)
class DynamoRunQueue:
    """Reads and changes queues of runs in the runtime table."""

    table: str

    def first(self, tenant: str, limit: int) -> list[QueuedRun]:
        """Read the first runs of a tenant's queue."""
        with translated(f"reading the queue of {tenant}"):
            found = client("dynamodb").query(**self._queue(tenant), Limit=limit)
        return [QueuedRun.model_validate(from_item(item)) for item in found["Items"]]

    def leave(self, waiting: QueuedRun) -> None:
        """Remove a run from the queue, unless it has left and joined again since it was read.

        time →   we: read seq 9 ───────────────────────── seq 9 ✗ → it stays
                 it:            admitted ─ joins, seq 14
        """
        with translated(f"removing {waiting.run} from the queue"):
            try:
                client("dynamodb").delete_item(
                    TableName=self.table,
                    Key=to_item(position_key(waiting)),
                    ConditionExpression="seq = :seq",
                    ExpressionAttributeValues=to_item({":seq": waiting.seq}),
                )
            except ClientError as error:
                # It has left, or has joined again since it was read: neither is ours to remove.
                if error_code(error) != CONDITION_FAILED:
                    raise

    def request_wake_up(self, tenant: str, limits: TenantLimits, account: AccountLimits | None) -> None:
        """Request a wake-up when a slot is freed, and note that the tenant has a queue."""
        counters = [counter_key(tenant, shard) for shard in range(limits.shards)]
        if account:
            counters += [counter_key(None, shard) for shard in range(account.shards)]
        with translated(f"requesting a wake-up of {tenant}"):
            # The note comes first: a clearing of the account's request reads the notes afterwards.
            client("dynamodb").put_item(
                TableName=self.table, Item=to_item({"pk": _WAITING, "sk": f"T#{tenant}", "tenant": tenant})
            )
            for key in counters:
                self._set_flag(key, "SET waits = :yes", {":yes": True})

    def clear_wake_up(self, tenant: str, limits: TenantLimits) -> None:
        """Clear the tenant's request.

        time →   dispatch: queue empty ─ clear ─ queue empty? ─ yes: done
                 newcomer:                      joins ─ wake-up → another look, which sees it and requests again
        """
        with translated(f"clearing the wake-up request of {tenant}"):
            for shard in range(limits.shards):
                self._set_flag(counter_key(tenant, shard), "REMOVE waits")
            client("dynamodb").delete_item(
                TableName=self.table, Key=to_item({"pk": _WAITING, "sk": f"T#{tenant}"})
            )

    def clear_account_wake_up(self, account: AccountLimits) -> None:
        """Clear the account's request, because no tenant has a queue any more."""
        with translated("clearing the account's wake-up request"):
            for shard in range(account.shards):
                self._set_flag(counter_key(None, shard), "REMOVE waits")

    def waiting_tenants(self, limit: int, after: str = "") -> list[str]:
        """List the tenants with a queue: those after `after`, then from the first on.

        Mostly one read has them all.
        """
        found, more = self._noted("T#", max(limit, _TENANTS_READ))
        if after and more:
            found = [*self._noted(f"T#{after}", limit)[0], *found]
        ordered = sorted(dict.fromkeys(found), key=lambda tenant: (tenant <= after, tenant))
        return ordered[:limit]

    def _noted(self, after: str, limit: int) -> tuple[list[str], bool]:
        """Read the tenants after a place that have a queue, and whether there are more."""
        with translated("listing tenants that wait"):
            found = client("dynamodb").query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND sk > :after",
                ExpressionAttributeValues=to_item({":pk": _WAITING, ":after": after}),
                ConsistentRead=True,
                Limit=limit,
            )
        return [str(from_item(item)["tenant"]) for item in found["Items"]], "LastEvaluatedKey" in found

    def view(self, tenant: str) -> QueueView:
        """Read the places of a queue: one query, of one page for some thousands."""
        with translated(f"looking at the queue of {tenant}"):
            pages = (
                client("dynamodb")
                .get_paginator("query")
                .paginate(**self._queue(tenant), ProjectionExpression="sk")
            )
            return view_of([str(from_item(item)["sk"]) for page in pages for item in page["Items"]])

    def count(self, tenant: str | None) -> SlotCount:
        """Add up the counters of slots in one query."""
        with translated("counting slots"):
            found = client("dynamodb").query(**self._partition(counter_key(tenant, 0)["pk"]))["Items"]
        counters = [from_item(item) for item in found]
        active, parked = (sum(int(one.get(name, 0)) for one in counters) for name in ("active", "parked"))
        return SlotCount(active, parked)

    def _queue(self, tenant: str) -> Request:
        return self._partition(f"T#{tenant}#WAIT")

    def _partition(self, pk: str) -> Request:
        return {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": to_item({":pk": pk}),
            "ConsistentRead": True,
        }

    def _set_flag(
        self, key: dict[str, str], expression: str, values: Mapping[str, object] | None = None
    ) -> None:
        more = {"ExpressionAttributeValues": to_item(values)} if values else {}
        client("dynamodb").update_item(
            TableName=self.table, Key=to_item(key), UpdateExpression=expression, **more
        )


@dataclass(frozen=True)
class SqsWakeUps:
    """Sends wake-ups to the queue that `dispatch` reads."""

    queue_url: Callable[[], str]
    """Called when the first wake-up is sent: many functions that may free slots never do."""

    def send(self, tenant: str, freed: int | None = None) -> None:
        """Request a look at a tenant's queue."""
        body = json.dumps({"tenant": tenant, "freed": freed})
        with translated(f"requesting a look at the queue of {tenant}"):
            client("sqs").send_message(QueueUrl=self.queue_url(), MessageBody=body, MessageGroupId=tenant)
