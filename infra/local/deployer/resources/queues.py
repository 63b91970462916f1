"""Queues with their attributes; what moves messages from them to functions is not built here."""

from __future__ import annotations

import json
from typing import Any

from infra.local import place
from infra.local.deployer.resource import Created, Resource, Target

_NO_ATTRIBUTES = ("QueueName", "Tags")


def queue(resource: Resource, target: Target) -> Created:
    """Create a queue; every attribute of the API is a string."""
    suffix = ".fifo" if resource.properties.get("FifoQueue") else ""
    name = resource.properties.get("QueueName") or resource.name("QueueName", 75) + suffix
    attributes = {
        key: _text(value) for key, value in resource.properties.items() if key not in _NO_ATTRIBUTES
    }
    url = target.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = f"arn:aws:sqs:{place.REGION}:{place.ACCOUNT_ID}:{name}"
    return Created(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
