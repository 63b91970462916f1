"""Shows and sets what models cost."""

from __future__ import annotations

from typing import Any

from stepward.agents.prices import TenantPrices
from stepward.runtime import money
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.get("/prices")
def show_prices() -> Any:
    """Show the price of every model."""
    return answer(200, _prices().show(caller(router.current_event).tenant))


@router.put("/prices/<model>")
def put_price(model: str) -> Any:
    """Agree on a price of a model."""
    event = router.current_event
    return answer(200, _prices().put(caller(event).tenant, model, body_of(event)))


@router.delete("/prices/<model>")
def remove_price(model: str) -> Any:
    """Go back to the price that holds for all."""
    tenant = caller(router.current_event).tenant
    _prices().remove(tenant, model)
    return answer(200, _prices().show(tenant))


def _prices() -> TenantPrices:
    return TenantPrices(money.price_store())
