"""CloudFormation's status-change events: rooms that act after a deployment are started by them here as on AWS."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from infra.local import place
from infra.local.deployer.records import Deployment
from infra.local.triggers.bus import Bus

SOURCE = "aws.cloudformation"
DETAIL_TYPE = "CloudFormation Stack Status Change"


class StackEvents:
    """Put an event on the bus for every stack that a deployment has made or changed."""

    def __init__(self, bus: Bus) -> None:
        """Take the bus."""
        self._bus = bus

    def deployed(self, stacks: Collection[str], status: str) -> None:
        """Publish what has become of stacks."""
        for stack in stacks:
            arn = f"arn:aws:cloudformation:{place.REGION}:{place.ACCOUNT_ID}:stack/{stack}/{uuid.uuid4()}"
            detail = {"stack-id": arn, "status-details": {"status": status, "status-reason": ""}}
            self._bus.publish(SOURCE, DETAIL_TYPE, detail, [arn])


def changed_stacks(before: Deployment, after: Deployment) -> list[str]:
    """Name the stacks that a deployment has changed; CloudFormation is silent about the others."""
    places = before.records.keys() | after.records.keys()
    changed = {
        stack
        for stack, name in places
        if before.records.get((stack, name)) != after.records.get((stack, name))
    }
    return [stack for stack in after.outputs if stack in changed]
