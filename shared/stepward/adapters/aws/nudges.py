"""Nudges on SQS: a standard queue with a message group a tenant, which serves tenants fairly."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated


@dataclass(frozen=True)
class SqsNudges:
    """The queue that `dispatch` reads."""

    queue_url: Callable[[], str]
    """Asked for when the first nudge is sent: many who may free slots never do."""

    def send(self, tenant: str, freed: int | None = None) -> None:
        """Ask for a look at a tenant's line."""
        body = json.dumps({"tenant": tenant, "freed": freed})
        with translated(f"nudging the line of {tenant}"):
            client("sqs").send_message(QueueUrl=self.queue_url(), MessageBody=body, MessageGroupId=tenant)
