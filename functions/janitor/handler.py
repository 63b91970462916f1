"""Reconcile each minute: runs, budget alerts and approval reminders.

It starts runs that never began and closes those whose execution is gone.
"""

from __future__ import annotations

from typing import Any

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.logs import logger


@lambda_handler("open runs swept")
def handle(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Make one round; budgets and approvals are served even if reconciling a run fails."""
    del event, context
    try:
        runs = container.runs.reconcile()
    finally:
        rest = _look_after_the_rest()
    return {**runs, **rest}


def _look_after_the_rest() -> dict[str, int]:
    try:
        alerts = _alert_of_budgets()
    finally:
        try:
            reminded = container.approvals.remind()
        finally:
            workflow_runs = container.workflow_runs.reconcile()
    return {"alerts": alerts, **reminded, **workflow_runs}


def _alert_of_budgets() -> int:
    alerts = container.costs.alerts()
    for alert in alerts:
        logger.warning(alert.in_words, code="BudgetAlert", tenant=alert.tenant)
    return len(alerts)
