"""Sweeps up, each minute: starts runs that never began, closes those that nobody carries, tells of budgets and approvals."""

from __future__ import annotations

from typing import Any

from stepward.agents.budgets import AlertBudgets
from stepward.agents.reconcile import Sweep
from stepward.runtime import asking, money, wiring, workflow_wiring
from stepward.runtime.entry import room
from stepward.runtime.logs import logger


@room("open runs swept")
def handle(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Make one round: budgets and approvals are looked after even where a run could not be swept up."""
    del event, context
    try:
        swept = Sweep(wiring.run_ports())()
    finally:
        told = _look_after_the_rest()
    return {**swept, **told}


def _look_after_the_rest() -> dict[str, int]:
    try:
        alerts = _tell_of_budgets()
    finally:
        try:
            tended = asking.tend_approvals_case()()
        finally:
            swept = workflow_wiring.sweep_case()()
    return {"alerts": alerts, **tended, **swept}


def _tell_of_budgets() -> int:
    alerts = AlertBudgets(money.budgets(), money.events(), wiring.clock())()
    for alert in alerts:
        logger.warning(alert.in_words, code="BudgetAlert", tenant=alert.tenant)
    return len(alerts)
