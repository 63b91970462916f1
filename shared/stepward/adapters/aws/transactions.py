"""Transactions on DynamoDB as named steps, and idempotency keys, which are one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import TRANSACTION_CANCELED, cancel_reasons, error_code, translated
from stepward.adapters.aws.items import ABSENT, Action, Item, PlainItem, Request, from_item, to_item
from stepward.ports.runs import IdempotencyKey, key_used_before

_FAILED: Final = "ConditionalCheckFailed"


@dataclass(frozen=True)
class Step:
    """One item of a transaction, with the name by which its failure is reported."""

    name: str
    action: Action


@dataclass(frozen=True)
class Refused:
    """The conditions that failed: by step, the item that it met."""

    by: dict[str, PlainItem]

    def __contains__(self, name: str) -> bool:
        """Return whether a step's condition failed."""
        return name in self.by


def transact(steps: Sequence[Step], doing: str) -> Refused | None:
    """Write all steps or none; None when they are written, else which conditions failed.

    A repeat by the SDK after a lost answer carries the same token, so that it is one transaction.
    """
    with translated(doing):
        try:
            client("dynamodb").transact_write_items(TransactItems=[step.action for step in steps])
        except ClientError as error:
            reasons = cancel_reasons(error) if error_code(error) == TRANSACTION_CANCELED else []
            if _FAILED not in reasons or "TransactionConflict" in reasons:
                raise
            given = error.response["CancellationReasons"]
            return Refused(
                {
                    step.name: from_item(reason.get("Item") or {})
                    for step, reason in zip(steps, given, strict=True)
                    if reason.get("Code") == _FAILED
                }
            )
    return None


def put_new(name: str, table: str, item: Item) -> Step:
    """Lay out the write of an item that must not exist yet."""
    put: Request = {"TableName": table, "Item": item, "ConditionExpression": ABSENT}
    return Step(name, {"Put": put})


def update(
    name: str,
    table: str,
    key: Mapping[str, object],
    expression: str,
    values: Mapping[str, object],
    condition: str | None = None,
    names: dict[str, str] | None = None,
) -> Step:
    """Lay out an update; `names` are attribute names that are DynamoDB's reserved words."""
    action: Request = {"TableName": table, "Key": to_item(key), "UpdateExpression": expression}
    if values:
        action["ExpressionAttributeValues"] = to_item(values)
    if names:
        action["ExpressionAttributeNames"] = names
    if condition:
        action |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return Step(name, {"Update": action})


def delete(name: str, table: str, key: Mapping[str, object], condition: str | None = None) -> Step:
    """Lay out a deletion, with `condition` of an item that is there."""
    action: Request = {"TableName": table, "Key": to_item(key)}
    if condition:
        action["ConditionExpression"] = condition
    return Step(name, {"Delete": action})


IDEMPOTENCY: Final = "idempotency key"


def put_key(table: str, tenant: str, run: str, key: IdempotencyKey, now: datetime) -> Step:
    """Lay out the write of an idempotency key that is free or has expired.

    The table removes an expired one some time later.
    """
    item = {**_where(tenant, key), "run": run, "body_sha256": key.body_sha256, "expires_at": key.expires_at}
    put: Request = {
        "TableName": table,
        "Item": to_item(item),
        "ConditionExpression": f"{ABSENT} OR expires_at < :now",
        "ExpressionAttributeValues": to_item({":now": int(now.timestamp())}),
    }
    return Step(IDEMPOTENCY, {"Put": put})


def free_key(table: str, tenant: str, run: str, key: IdempotencyKey) -> Step:
    """Lay out the release of a key, where it has started this run."""
    name = {"#run": "run"}
    return update(
        IDEMPOTENCY,
        table,
        _where(tenant, key),
        "SET expires_at = :past",
        {":past": 0, ":run": run},
        "#run = :run",
        name,
    )


def before_with(table: str, tenant: str, key: IdempotencyKey) -> str:
    """Return the run that a key started; raises `Conflict` when that was with another request."""
    with translated("reading an idempotency record"):
        found = client("dynamodb").get_item(
            TableName=table, Key=to_item(_where(tenant, key)), ConsistentRead=True
        )
    before = from_item(found.get("Item", {}))
    if before.get("body_sha256") != key.body_sha256:
        raise key_used_before()
    return str(before["run"])


def _where(tenant: str, key: IdempotencyKey) -> dict[str, str]:
    return {"pk": f"T#{tenant}#IDEM", "sk": f"{key.principal}#{key.key}"}
