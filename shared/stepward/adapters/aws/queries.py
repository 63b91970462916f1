"""Reads a query to its end; a page that was forgotten would be a part that nobody sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.items import to_item


def every_item(table: str, condition: str, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give what matches a key condition, all that was written before included; items as DynamoDB writes them."""
    pages = (
        client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            ConsistentRead=True,
        )
    )
    for page in pages:
        yield from page["Items"]
