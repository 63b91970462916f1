"""Serve the run queue, and open the waits of runs without a slot."""

from __future__ import annotations

import json
from typing import Any

from stepward.agents.machine_messages import WaitRequest
from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler, task_handler, time_left_s


@lambda_handler("dispatched")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Take wake-ups from the queue, or one wait from a machine."""
    return serve_queues(event["Records"], context) if "Records" in event else open_wait(event, context)


@task_handler("wait opened", WaitRequest)
def open_wait(request: WaitRequest, context: Any) -> dict[str, str]:
    """Store the token of one wait, and open what the machine waits for."""
    del context
    return {"call": request.call, "outcome": container.runs.open_wait(request)}


def serve_queues(records: list[dict[str, Any]], context: Any) -> dict[str, Any]:
    """Serve each tenant once, however many wake-ups it has.

    An error fails the whole batch, which SQS then delivers again.
    """
    freed, time_left = _freed_slots(records), time_left_s(context)
    admitted = container.runs.serve_queues(freed, context.aws_request_id, time_left)
    return {"batchItemFailures": [], "admitted": admitted}


def _freed_slots(records: list[dict[str, Any]]) -> dict[str, int | None]:
    """Sum the freed slots by tenant; None serves all that wait.

    A wake-up that does not know how many slots were freed makes its tenant's sum None.
    """
    freed: dict[str, int | None] = {}
    for record in records:
        wake_up = json.loads(record["body"])
        tenant, more = str(wake_up["tenant"]), wake_up.get("freed")
        before = freed.get(tenant, 0)
        freed[tenant] = None if more is None or before is None else before + int(more)
    return freed
