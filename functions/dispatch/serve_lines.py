"""Looks at the lines of the tenants that were nudged."""

from __future__ import annotations

import json
from typing import Any

from stepward.agents.serve_line import ServeLine
from stepward.runtime import wiring
from stepward.runtime.entry import time_left_s


def serve_lines(records: list[dict[str, Any]], context: Any) -> dict[str, Any]:
    """Serve each tenant once, however often it was nudged; a fault fails the batch, which then comes again."""
    serve = ServeLine(wiring.run_ports(), context.aws_request_id, time_left_s(context))
    tenants = dict.fromkeys(str(json.loads(record["body"])["tenant"]) for record in records)
    admitted = {tenant: serve(tenant) for tenant in tenants}
    return {"batchItemFailures": [], "admitted": sum(admitted.values())}
