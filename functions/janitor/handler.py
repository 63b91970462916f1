"""Sweeps up, each minute: starts runs that never began, closes runs that nobody carries any more, tells of budgets."""

from __future__ import annotations

from typing import Any

from stepward.agents.budgets import AlertBudgets
from stepward.agents.closing import Sweep
from stepward.runtime import money, wiring
from stepward.runtime.entry import room
from stepward.runtime.logs import logger


@room("open runs swept")
def handle(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Make one round: budgets are told of even where a run could not be swept up."""
    del event, context
    try:
        swept = Sweep(wiring.run_ports())()
    finally:
        alerts = _tell_of_budgets()
    return {**swept, "alerts": alerts}


def _tell_of_budgets() -> int:
    alerts = AlertBudgets(money.budgets(), money.events(), wiring.clock())()
    for alert in alerts:
        logger.warning(alert.in_words, code="BudgetAlert", tenant=alert.tenant)
    return len(alerts)
