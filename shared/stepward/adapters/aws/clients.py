"""boto3 clients, one a service and process, with limits on how long a call may take."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config

from stepward.adapters.aws import errors

_CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=3,
    max_pool_connections=32,
)


@cache
def client(service: str) -> Any:
    """Return the process's client of a service, created on first use."""
    made = boto3.client(service, config=_CONFIG)
    if service == "dynamodb":
        made.meta.events.register("needs-retry.dynamodb", errors.pause_s)
    return made
