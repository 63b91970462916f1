"""Shows what was spent."""

from __future__ import annotations

from typing import Any

from stepward.agents.costs import ShowCosts
from stepward.runtime import money, wiring
from stepward.runtime.http import answer, caller, query_of, routes

router = routes()


@router.get("/costs")
def show_costs() -> Any:
    """Add costs up by tenant, agent, model or day."""
    show = ShowCosts(money.cost_book(), wiring.clock())
    return answer(200, show(caller(router.current_event).tenant, query_of(router.current_event)))
