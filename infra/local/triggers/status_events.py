"""Status-change events of Step Functions and CloudFormation, as AWS sends them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.backend.execution import Execution

from infra.local import account
from infra.local.deployer.resource import Deployment
from infra.local.triggers.bus import Bus

SOURCE = "aws.states"
DETAIL_TYPE = "Step Functions Execution Status Change"
MAX_CONTENT_BYTES = 248 * 1024
"""Longer inputs and outputs are left out of events, and marked as not included."""

_REDRIVABLE = ("FAILED", "TIMED_OUT", "ABORTED")


class StatusEvents:
    """Puts an event on the bus for every execution that starts or ends."""

    def __init__(self, bus: Bus) -> None:
        """Take the bus."""
        self._bus = bus

    def changed(self, execution: Execution) -> None:
        """Publish the new status of an execution."""
        arn = str(execution.exec_arn)
        self._bus.publish(SOURCE, DETAIL_TYPE, detail_of(execution), [arn])


def detail_of(execution: Execution) -> dict[str, Any]:
    """Return the detail of an execution's event."""
    status = str(execution.exec_status.value)
    given, given_details = _content(_text(execution.input_data))
    output, output_details = _content(_text(execution.output)) if status == "SUCCEEDED" else (None, None)
    return {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": status,
        "startDate": _ms(execution.start_date),
        "stopDate": None if status == "RUNNING" else _ms(execution.stop_date),
        "input": given,
        "output": output,
        "inputDetails": given_details,
        "outputDetails": output_details,
        "error": execution.error,
        "cause": execution.cause,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": 0,
        "redriveDate": None,
        "redriveStatus": "REDRIVABLE" if status in _REDRIVABLE else "NOT_REDRIVABLE",
        "redriveStatusReason": None
        if status in _REDRIVABLE
        else f"Execution is {status} and cannot be redriven",
    }


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=str, ensure_ascii=False)


def _content(text: str) -> tuple[str | None, dict[str, bool]]:
    is_short = len(text.encode()) <= MAX_CONTENT_BYTES
    return (text if is_short else None), {"included": is_short}


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


STACK_SOURCE = "aws.cloudformation"
STACK_DETAIL_TYPE = "CloudFormation Stack Status Change"


class StackEvents:
    """Puts an event on the bus for every stack that a deployment has created or changed."""

    def __init__(self, bus: Bus) -> None:
        """Take the bus."""
        self._bus = bus

    def deployed(self, stacks: Collection[str], status: str) -> None:
        """Publish the new status of stacks."""
        for stack in stacks:
            arn = f"arn:aws:cloudformation:{account.REGION}:{account.ACCOUNT_ID}:stack/{stack}/{uuid.uuid4()}"
            detail = {"stack-id": arn, "status-details": {"status": status, "status-reason": ""}}
            self._bus.publish(STACK_SOURCE, STACK_DETAIL_TYPE, detail, [arn])


def changed_stacks(before: Deployment, after: Deployment) -> list[str]:
    """List the stacks that a deployment has changed, which are those with events."""
    places = before.records.keys() | after.records.keys()
    changed = {
        stack
        for stack, name in places
        if before.records.get((stack, name)) != after.records.get((stack, name))
    }
    return [stack for stack in after.outputs if stack in changed]
