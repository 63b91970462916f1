"""The run queue: in DynamoDB a partition a tenant, sorted as it is served; wake-ups on SQS, a message group a tenant."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import CONDITION_FAILED, error_code, translated
from stepward.adapters.aws.items import from_item, to_item
from stepward.adapters.aws.slots import counter_key, place_key
from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.run_queue import QueuedRun
from stepward.ports.run_queue import QueueView, SlotCount, look_at

_WAITING: Final = "WAITING"


_TENANTS_READ: Final = 200


@dataclass(frozen=True)
class DynamoRunQueue:
    """The part of the runtime table that knows who waits for a slot."""

    table: str

    def first(self, tenant: str, limit: int) -> list[QueuedRun]:
        """Read the head of the line."""
        with translated(f"reading the line of {tenant}"):
            found = client("dynamodb").query(**self._line(tenant), Limit=limit)
        return [QueuedRun.model_validate(from_item(item)) for item in found["Items"]]

    def leave(self, waiting: QueuedRun) -> None:
        """Take a run out of the line, unless it has gone and come back to its place since.

        time →   we: read seq 9 ───────────────────────── seq 9 ✗ → it stays
                 it:            admitted ─ joins, seq 14
        """
        with translated(f"taking {waiting.run} out of the line"):
            try:
                client("dynamodb").delete_item(
                    TableName=self.table,
                    Key=to_item(place_key(waiting)),
                    ConditionExpression="seq = :seq",
                    ExpressionAttributeValues=to_item({":seq": waiting.seq}),
                )
            except ClientError as error:
                # It is gone, or another stay than the one that was read: neither is ours to take out.
                if error_code(error) != CONDITION_FAILED:
                    raise

    def request_wake_up(self, tenant: str, limits: TenantLimits, account: AccountLimits | None) -> None:
        """Ask to be told of free slots, and note that the tenant has a line."""
        counters = [counter_key(tenant, shard) for shard in range(limits.shards)]
        if account:
            counters += [counter_key(None, shard) for shard in range(account.shards)]
        with translated(f"requesting a wake-up of {tenant}"):
            # The note comes first: whoever clears the account's request looks at the notes afterwards.
            client("dynamodb").put_item(
                TableName=self.table, Item=to_item({"pk": _WAITING, "sk": f"T#{tenant}", "tenant": tenant})
            )
            for key in counters:
                self._set_flag(key, "SET waits = :yes", {":yes": True})

    def clear_wake_up(self, tenant: str, limits: TenantLimits) -> None:
        """Clear the tenant's request.

        time →   dispatch: line empty ─ clear ─ line empty? ─ yes: done
                 newcomer:                     joins ─ wake-up → another look, which sees it and asks again
        """
        with translated(f"clearing the wake-up request of {tenant}"):
            for shard in range(limits.shards):
                self._set_flag(counter_key(tenant, shard), "REMOVE waits")
            client("dynamodb").delete_item(
                TableName=self.table, Key=to_item({"pk": _WAITING, "sk": f"T#{tenant}"})
            )

    def clear_account_wake_up(self, account: AccountLimits) -> None:
        """Nobody waits any more at all."""
        with translated("clearing the account's wake-up request"):
            for shard in range(account.shards):
                self._set_flag(counter_key(None, shard), "REMOVE waits")

    def waiting_tenants(self, limit: int, after: str = "") -> list[str]:
        """Name the tenants with a line: those after one, then from the first on; mostly one read has them all."""
        found, more = self._noted("T#", max(limit, _TENANTS_READ))
        if after and more:
            found = [*self._noted(f"T#{after}", limit)[0], *found]
        ordered = sorted(dict.fromkeys(found), key=lambda tenant: (tenant <= after, tenant))
        return ordered[:limit]

    def _noted(self, after: str, limit: int) -> tuple[list[str], bool]:
        """Read the notes of tenants after a place, and whether there are more."""
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
        """Read the names of all places: one query, of one page for some thousands."""
        with translated(f"looking at the line of {tenant}"):
            pages = (
                client("dynamodb")
                .get_paginator("query")
                .paginate(**self._line(tenant), ProjectionExpression="sk")
            )
            return look_at([str(from_item(item)["sk"]) for page in pages for item in page["Items"]])

    def count(self, tenant: str | None) -> SlotCount:
        """Add the counters up: one query."""
        with translated("counting slots"):
            found = client("dynamodb").query(**self._partition(counter_key(tenant, 0)["pk"]))["Items"]
        counters = [from_item(item) for item in found]
        active, parked = (sum(int(one.get(name, 0)) for one in counters) for name in ("active", "parked"))
        return SlotCount(active, parked)

    def _line(self, tenant: str) -> dict[str, Any]:
        return self._partition(f"T#{tenant}#WAIT")

    def _partition(self, pk: str) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": to_item({":pk": pk}),
            "ConsistentRead": True,
        }

    def _set_flag(self, key: dict[str, str], expression: str, values: dict[str, Any] | None = None) -> None:
        more = {"ExpressionAttributeValues": to_item(values)} if values else {}
        client("dynamodb").update_item(
            TableName=self.table, Key=to_item(key), UpdateExpression=expression, **more
        )


@dataclass(frozen=True)
class SqsWakeUps:
    """The queue that `dispatch` reads."""

    queue_url: Callable[[], str]
    """Asked for when the first wake-up is sent: many who may free slots never do."""

    def send(self, tenant: str, freed: int | None = None) -> None:
        """Ask for a look at a tenant's line."""
        body = json.dumps({"tenant": tenant, "freed": freed})
        with translated(f"nudging the line of {tenant}"):
            client("sqs").send_message(QueueUrl=self.queue_url(), MessageBody=body, MessageGroupId=tenant)
