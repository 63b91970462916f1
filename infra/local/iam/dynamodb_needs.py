"""The permissions that calls of DynamoDB need.

A transaction needs the actions of its items, a query of an index the index. The partitions that a call touches are the
condition key `dynamodb:LeadingKeys`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from infra.local.iam.calls import Call, Need, arn

LEADING_KEYS: Final = "dynamodb:LeadingKeys"
_ITEM_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "ConditionCheck": "ConditionCheckItem",
}


def dynamodb_needs(call: Call, operation: str) -> list[Need]:
    """List the permissions that a call needs, in the order of its items."""
    found: dict[tuple[str, str], list[str]] = {}
    for action, resource, partitions in _parts(call.document, operation):
        found.setdefault((action, resource), []).extend(partitions)
    return [
        Need(f"dynamodb:{action}", resource, {LEADING_KEYS: list(dict.fromkeys(keys))} if keys else {})
        for (action, resource), keys in found.items()
    ]


def _parts(body: dict[str, Any], operation: str) -> Iterator[tuple[str, str, list[str]]]:
    if operation.startswith("Transact"):
        for item in body.get("TransactItems", []):
            for kind, part in item.items():
                yield _ITEM_ACTIONS.get(kind, kind), table_arn(part.get("TableName", "")), _partition(part)
    elif operation.startswith("Batch") and "RequestItems" in body:
        for table, asked in body["RequestItems"].items():
            yield operation, table_arn(table), _of_batch(asked)
    elif "TableName" in body:
        index = body.get("IndexName")
        yield (
            operation,
            table_arn(body["TableName"]) + (f"/index/{index}" if index else ""),
            _partition(body),
        )
    else:
        resource = str(body.get("StreamArn") or body.get("ResourceArn") or body.get("TableArn") or "*")
        yield operation, resource, []


def _of_batch(asked: Any) -> list[str]:
    keys = asked.get("Keys", []) if isinstance(asked, dict) else []
    return [value for key in keys for value in _text(key.get("pk"))]


def _partition(part: dict[str, Any]) -> list[str]:
    """Return the partition of an item or a query; the partition keys of our tables are `pk`."""
    item = part.get("Key") or part.get("Item")
    if item is not None:
        return _text(item.get("pk"))
    asked = re.match(r"\s*(\S+)\s*=\s*(:\w+)", str(part.get("KeyConditionExpression", "")))
    return _text(part.get("ExpressionAttributeValues", {}).get(asked[2])) if asked else []


def _text(value: Any) -> list[str]:
    return [str(value["S"])] if isinstance(value, dict) and "S" in value else []


def table_arn(name: str) -> str:
    """Return the ARN of a table, which may be given by its ARN."""
    return name if name.startswith("arn:") else arn("dynamodb", f"table/{name}")
