"""Show and set budgets, and show how many runs may be active."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.get("/budgets")
def show_budgets() -> Response[str]:
    """List budgets with what remains of each.

    Returns:
        200 with the budgets.
    """
    return answer(200, container.costs.budgets.show(caller(router.current_event).tenant))


@router.put("/budgets/<scope>")
def put_budget(scope: str) -> Response[str]:
    """Set the budget of the tenant, a day or a month: `limit_usd` in the body.

    Args:
        scope: tenant, day, month or agent.

    Returns:
        200 with the budget.

    Raises:
        InvalidRequest: The scope or the limit is invalid.
    """
    return _put(scope, None)


@router.put("/budgets/<scope>/<budget_id>")
def put_agents_budget(scope: str, budget_id: str) -> Response[str]:
    """Set an agent's budget: `limit_usd` in the body.

    Args:
        scope: tenant, day, month or agent.
        budget_id: The agent's id.

    Returns:
        200 with the budget.

    Raises:
        InvalidRequest: The scope or the limit is invalid.
    """
    return _put(scope, budget_id)


@router.delete("/budgets/<scope>")
def remove_budget(scope: str) -> Response[str]:
    """Remove the budget of the tenant, a day or a month.

    Args:
        scope: tenant, day, month or agent.

    Returns:
        200.

    Raises:
        NotFound: There is no such budget.
    """
    return _remove(scope, None)


@router.delete("/budgets/<scope>/<budget_id>")
def remove_agents_budget(scope: str, budget_id: str) -> Response[str]:
    """Remove an agent's budget.

    Args:
        scope: tenant, day, month or agent.
        budget_id: The agent's id.

    Returns:
        200.

    Raises:
        NotFound: There is no such budget.
    """
    return _remove(scope, budget_id)


@router.get("/limits")
def show_limits() -> Response[str]:
    """Show how many runs may be active at once.

    Returns:
        200 with the limits.
    """
    return answer(200, container.costs.run_limits.of(caller(router.current_event).tenant))


@router.put("/limits")
def put_limits() -> Response[str]:
    """Refuse to change the limit of active runs, which only the operator may set.

    Returns:
        Never: the request is refused.

    Raises:
        NotAllowed: Always; `fix` has the operator's command.
    """
    container.costs.run_limits.refuse(caller(router.current_event).tenant)


def _put(scope: str, budget_id: str | None) -> Response[str]:
    event = router.current_event
    tenant = caller(event).tenant
    return answer(200, container.costs.budgets.put(tenant, scope, budget_id, body_of(event)))


def _remove(scope: str, budget_id: str | None) -> Response[str]:
    tenant = caller(router.current_event).tenant
    container.costs.budgets.remove(tenant, scope, budget_id)
    return answer(200, container.costs.budgets.show(tenant))
