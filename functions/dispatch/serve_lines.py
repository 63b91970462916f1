"""Looks at the lines of the tenants that were nudged."""

from __future__ import annotations

import json
from typing import Any

from stepward.agents.dispatch import DispatchRuns, serve_each
from stepward.runtime import wiring
from stepward.runtime.entry import time_left_s


def serve_lines(records: list[dict[str, Any]], context: Any) -> dict[str, Any]:
    """Serve each tenant once, however often it was nudged; a fault fails the batch, which then comes again."""
    serve = DispatchRuns(wiring.run_ports(), context.aws_request_id, time_left_s(context))
    return {"batchItemFailures": [], "admitted": serve_each(serve, _nudged(records))}


def _nudged(records: list[dict[str, Any]]) -> dict[str, int | None]:
    """Add up how many slots each tenant was told of; one nudge that does not know makes it a look at everything."""
    nudged: dict[str, int | None] = {}
    for record in records:
        nudge = json.loads(record["body"])
        tenant, freed = str(nudge["tenant"]), nudge.get("freed")
        before = nudged.get(tenant, 0)
        nudged[tenant] = None if freed is None or before is None else before + int(freed)
    return nudged
