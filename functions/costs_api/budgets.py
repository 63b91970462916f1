"""Show and set budgets, and show how many runs may be active."""

from __future__ import annotations

from typing import Any

from stepward.runtime.container import container
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.get("/budgets")
def show_budgets() -> Any:
    """Show every budget with what remains of it."""
    return answer(200, container.costs.budgets.show(caller(router.current_event).tenant))


@router.put("/budgets/<scope>")
def put_budget(scope: str) -> Any:
    """Set the tenant's budget, a day's or a month's."""
    return _put(scope, None)


@router.put("/budgets/<scope>/<budget_id>")
def put_agents_budget(scope: str, budget_id: str) -> Any:
    """Set an agent's budget."""
    return _put(scope, budget_id)


@router.delete("/budgets/<scope>")
def remove_budget(scope: str) -> Any:
    """Remove the tenant's budget, a day's or a month's."""
    return _remove(scope, None)


@router.delete("/budgets/<scope>/<budget_id>")
def remove_agents_budget(scope: str, budget_id: str) -> Any:
    """Remove an agent's budget."""
    return _remove(scope, budget_id)


@router.get("/limits")
def show_limits() -> Any:
    """Show how many runs may be active at once."""
    return answer(200, container.costs.run_limits.of(caller(router.current_event).tenant))


@router.put("/limits")
def put_limits() -> Any:
    """Refuse, and say who sets it: the operator's caps are not a tenant's to raise."""
    container.costs.run_limits.refuse(caller(router.current_event).tenant)


def _put(scope: str, budget_id: str | None) -> Any:
    event = router.current_event
    tenant = caller(event).tenant
    return answer(200, container.costs.budgets.put(tenant, scope, budget_id, body_of(event)))


def _remove(scope: str, budget_id: str | None) -> Any:
    tenant = caller(router.current_event).tenant
    container.costs.budgets.remove(tenant, scope, budget_id)
    return answer(200, container.costs.budgets.show(tenant))
