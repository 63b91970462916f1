"""Gives the tenant's figures in Prometheus' text format."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

import stepward
from stepward.domain.runs import RunStatus
from stepward.runtime import wiring
from stepward.runtime.config import settings
from stepward.runtime.http import caller, routes

router = routes()


@router.get("/api/health/metrics")
def metrics() -> Any:
    """Count the day's runs by status."""
    tenant = caller(router.current_event).tenant
    today = wiring.clock().now().date().isoformat()
    counts = wiring.run_lists().count_by_status(tenant, today)
    lines = [
        "# HELP stepward_info The platform's version.",
        "# TYPE stepward_info gauge",
        f'stepward_info{{version="{stepward.__version__}",stage="{settings().stage}"}} 1',
        "# HELP stepward_runs_today Runs of the UTC day so far, by status.",
        "# TYPE stepward_runs_today gauge",
        *(f'stepward_runs_today{{status="{status}"}} {counts.get(status, 0)}' for status in RunStatus),
    ]
    return Response(200, "text/plain; version=0.0.4", "\n".join(lines) + "\n")
