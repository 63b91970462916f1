"""What DynamoDB's calls take: a transaction is authorised by its items' actions, a query of an index by the index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.local.iam.calls import Call, Need, arn

_ITEM_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "ConditionCheck": "ConditionCheckItem",
}


def dynamodb_needs(call: Call, operation: str) -> list[Need]:
    """Name the permissions of one call, each once and in the order of its items."""
    pairs = dict.fromkeys(_pairs(call.document, operation))
    return [Need(f"dynamodb:{action}", resource) for action, resource in pairs]


def _pairs(body: dict[str, Any], operation: str) -> Iterator[tuple[str, str]]:
    if operation.startswith("Transact"):
        for item in body.get("TransactItems", []):
            for kind, part in item.items():
                yield _ITEM_ACTIONS.get(kind, kind), table_arn(part.get("TableName", ""))
    elif operation.startswith("Batch") and "RequestItems" in body:
        for table in body["RequestItems"]:
            yield operation, table_arn(table)
    elif "TableName" in body:
        index = body.get("IndexName")
        yield operation, table_arn(body["TableName"]) + (f"/index/{index}" if index else "")
    else:
        yield operation, str(body.get("StreamArn") or body.get("ResourceArn") or body.get("TableArn") or "*")


def table_arn(name: str) -> str:
    """Spell a table's ARN; callers may have done it themselves."""
    return name if name.startswith("arn:") else arn("dynamodb", f"table/{name}")
