"""Transactions whose items have names, so that what stood in the way can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import TRANSACTION_CANCELED, cancel_reasons, error_code, translated
from stepward.adapters.aws.items import ABSENT, from_item, to_item

_FAILED: Final = "ConditionalCheckFailed"


@dataclass(frozen=True)
class Step:
    """One item of a transaction with the name by which its failure is spoken of."""

    name: str
    action: dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """The conditions that did not hold, by step: what the item was when it was looked at."""

    by: dict[str, dict[str, Any]]

    def __contains__(self, name: str) -> bool:
        """Tell whether a step's condition failed."""
        return name in self.by


def transact(steps: Sequence[Step], doing: str) -> Refused | None:
    """Do all or nothing; None when all is done, else which conditions failed.

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


def put_new(name: str, table: str, item: dict[str, Any]) -> Step:
    """Put an item where none is."""
    put = {"TableName": table, "Item": item, "ConditionExpression": ABSENT}
    return Step(name, {"Put": put})


def update(
    name: str,
    table: str,
    key: dict[str, Any],
    expression: str,
    values: dict[str, Any],
    condition: str | None = None,
    names: dict[str, str] | None = None,
) -> Step:
    """Change an item; `names` are attribute names that are words of DynamoDB's own."""
    action: dict[str, Any] = {"TableName": table, "Key": to_item(key), "UpdateExpression": expression}
    if values:
        action["ExpressionAttributeValues"] = to_item(values)
    if names:
        action["ExpressionAttributeNames"] = names
    if condition:
        action |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return Step(name, {"Update": action})


def delete(name: str, table: str, key: dict[str, Any], condition: str | None = None) -> Step:
    """Take an item away, if need be only one that is there."""
    action: dict[str, Any] = {"TableName": table, "Key": to_item(key)}
    if condition:
        action["ConditionExpression"] = condition
    return Step(name, {"Delete": action})
