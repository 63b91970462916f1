"""Shows and sets what models cost."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from stepward.agents.prices import TenantPrices
from stepward.runtime import money
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.get("/prices")
def show_prices() -> Any:
    """Show the price of every model."""
    return answer(200, _prices().show(caller(router.current_event).tenant))


@router.put("/prices/.+")
def put_price() -> Any:
    """Agree on a price of a model."""
    event = router.current_event
    return answer(200, _prices().put(caller(event).tenant, _model(event), body_of(event)))


@router.delete("/prices/.+")
def remove_price() -> Any:
    """Go back to the price that holds for all."""
    event = router.current_event
    tenant = caller(event).tenant
    _prices().remove(tenant, _model(event))
    return answer(200, _prices().show(tenant))


def _model(event: Any) -> str:
    """Read the model's id, which may contain slashes."""
    return unquote(event.path_parameters["model"])


def _prices() -> TenantPrices:
    return TenantPrices(money.price_store())
