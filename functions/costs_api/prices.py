"""Show models, show and set what they cost, estimate a run, and add up what was spent."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.http import answer, body_of, caller, query_of, routes

router = routes()


@router.get("/costs")
def show_costs() -> Response[str]:
    """Sum costs `by` tenant, agent, model, workflow or day, `from` one day `to` another.

    Returns:
        200 with the lines and their total.

    Raises:
        InvalidRequest: A query parameter is invalid.
    """
    return answer(
        200, container.costs.show(caller(router.current_event).tenant, query_of(router.current_event))
    )


@router.post("/agents/<agent_id>/estimate")
def estimate_run(agent_id: str) -> Response[str]:
    """Estimate what a start with this body would cost; nothing is started.

    Args:
        agent_id: The agent's id, or its `uid`.

    Returns:
        200 with the least, expected and most.

    Raises:
        NotFound: There is no such agent.
        InvalidRequest: The input does not fit.
    """
    event = router.current_event
    found = container.costs.estimate_start(caller(event).tenant, agent_id, body_of(event))
    return answer(200, found.model_dump(mode="json"))


@router.get("/models")
def list_models() -> Response[str]:
    """List the models with what they can do and cost.

    Returns:
        200 with the models.
    """
    return answer(200, container.costs.models.list(caller(router.current_event).tenant))


@router.get("/models/.+")
def show_model() -> Response[str]:
    """Show one model.

    Returns:
        200 with the model.

    Raises:
        NotFound: There is no such model.
    """
    event = router.current_event
    return answer(200, container.costs.models.one(caller(event).tenant, _model(event)))


@router.get("/prices")
def show_prices() -> Response[str]:
    """List the price of every model.

    Returns:
        200 with the prices.
    """
    return answer(200, container.costs.prices.show(caller(router.current_event).tenant))


@router.put("/prices/.+")
def put_price() -> Response[str]:
    """Set an agreed price of a model.

    Returns:
        200 with the price.

    Raises:
        InvalidRequest: The price is invalid.
    """
    event = router.current_event
    return answer(200, container.costs.prices.put(caller(event).tenant, _model(event), body_of(event)))


@router.delete("/prices/.+")
def remove_price() -> Response[str]:
    """Remove an agreed price; the one for all tenants, or the list's, applies again.

    Returns:
        200.

    Raises:
        NotFound: There is no agreed price.
    """
    event = router.current_event
    tenant = caller(event).tenant
    container.costs.prices.remove(tenant, _model(event))
    return answer(200, container.costs.prices.show(tenant))


def _model(event: Any) -> str:
    """Read the model's id, which may contain slashes."""
    return unquote(event.path_parameters["model"])
