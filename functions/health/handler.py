"""Serve health, readiness, figures, and the answer for unknown routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import Response

import stepward
from stepward.domain.errors import StepwardError
from stepward.domain.runs import RunKey, RunStatus
from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, caller, http_app, routes
from stepward.runtime.logs import logger

router = routes()
_NO_RUN = RunKey(tenant="-", run="-")


@router.get("/api/health")
def health() -> Response[str]:
    """Answer that the API is up, without a look at what it depends on.

    Returns:
        200 with status, stage and version.
    """
    stage = container.settings.stage
    return answer(200, {"status": "ok", "stage": stage, "version": stepward.__version__})


@router.get("/api/health/ready")
def ready() -> Response[str]:
    """Check that every table can be read.

    Returns:
        200, or 503 with the reason.
    """
    reads: dict[str, Callable[[], Any]] = {
        "journal": lambda: container.ports.journal.newest(_NO_RUN),
        "runtime": lambda: container.ports.runtime_state.head(_NO_RUN),
        "registry": lambda: container.ports.registry.agent("-", "-"),
    }
    checks = {name: _check(read) for name, read in reads.items()}
    good = all(found == "ok" for found in checks.values())
    return answer(200 if good else 503, {"status": "ready" if good else "not ready", "checks": checks})


def _check(read: Callable[[], Any]) -> str:
    try:
        read()
    except StepwardError as error:
        logger.error("not ready", code=error.code, success=False, exc_info=error)
        return error.code
    return "ok"


@router.get("/api/health/metrics")
def metrics() -> Response[str]:
    """Count the day's runs by status, in Prometheus' text format.

    Returns:
        200 with the text.
    """
    tenant = caller(router.current_event).tenant
    today = container.ports.clock.now().date().isoformat()
    counts = container.ports.run_lists.count_by_status(tenant, today)
    lines = [
        "# HELP stepward_info The platform's version.",
        "# TYPE stepward_info gauge",
        f'stepward_info{{version="{stepward.__version__}",stage="{container.settings.stage}"}} 1',
        "# HELP stepward_runs_today Runs of the UTC day so far, by status.",
        "# TYPE stepward_runs_today gauge",
        *(f'stepward_runs_today{{status="{status}"}} {counts.get(status, 0)}' for status in RunStatus),
    ]
    return Response(200, "text/plain; version=0.0.4", "\n".join(lines) + "\n")


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("health request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
