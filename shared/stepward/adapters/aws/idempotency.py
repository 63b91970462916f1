"""A caller's word that two requests are one: kept in the transaction that starts what they ask for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import from_item, to_item
from stepward.adapters.aws.transactions import Step, put_new, update
from stepward.ports.runs import IdempotencyKey, key_used_before

IDEMPOTENCY: Final = "idempotency key"


def put_key(table: str, tenant: str, run: str, key: IdempotencyKey, now: datetime) -> Step:
    """Take a key that is free, or whose day is over although the table has not forgotten it yet."""
    item = {**_where(tenant, key), "run": run, "body_sha256": key.body_sha256, "expires_at": key.expires_at}
    step = put_new(IDEMPOTENCY, table, to_item(item))
    step.action["Put"]["ConditionExpression"] += " OR expires_at < :now"
    step.action["Put"]["ExpressionAttributeValues"] = to_item({":now": int(now.timestamp())})
    return step


def free_key(table: str, tenant: str, run: str, key: IdempotencyKey) -> Step:
    """Let a key start another run, where it has started this one."""
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
    """Name the run that a key started; raises `Conflict` when that was with another request."""
    with translated("reading an idempotency record"):
        found = client("dynamodb").get_item(
            TableName=table, Key=to_item(_where(tenant, key)), ConsistentRead=True
        )
    before = from_item(found.get("Item", {}))
    if before.get("body_sha256") != key.body_sha256:
        raise key_used_before()
    return str(before["run"])


def _where(tenant: str, key: IdempotencyKey) -> dict[str, Any]:
    return {"pk": f"T#{tenant}#IDEM", "sk": f"{key.principal}#{key.key}"}
