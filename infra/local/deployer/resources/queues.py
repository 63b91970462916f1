"""Handlers of queues with their attributes."""

from __future__ import annotations

import json
from typing import Any

from infra.local import account
from infra.local.deployer.resource import Created, Record, Resource, Target

_NO_ATTRIBUTES = ("QueueName", "Tags")
_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
}


def queue(resource: Resource, target: Target) -> Created:
    """Create a queue; every attribute of the API is a string."""
    suffix = ".fifo" if resource.properties.get("FifoQueue") else ""
    name = resource.properties.get("QueueName") or resource.name("QueueName", 75) + suffix
    url = target.client("sqs").create_queue(QueueName=name, Attributes=_attributes(resource))["QueueUrl"]
    arn = f"arn:aws:sqs:{account.REGION}:{account.ACCOUNT_ID}:{name}"
    return Created(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})


def update_queue(resource: Resource, before: Record, target: Target) -> Created:
    """Update a queue's attributes; one that is no longer given gets AWS's default."""
    wanted = _attributes(resource)
    for name in before.resource.properties:
        if name not in _NO_ATTRIBUTES and name not in wanted:
            wanted[name] = _DEFAULTS.get(name, "")
    target.client("sqs").set_queue_attributes(QueueUrl=before.created.ref, Attributes=wanted)
    return before.created


def delete_queue(record: Record, target: Target) -> None:
    """Delete a queue with its messages."""
    target.client("sqs").delete_queue(QueueUrl=record.created.ref)


def _attributes(resource: Resource) -> dict[str, str]:
    return {key: _text(value) for key, value in resource.properties.items() if key not in _NO_ATTRIBUTES}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
