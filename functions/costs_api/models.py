"""Shows the models that agents can name."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from stepward.agents.prices import ShowModels
from stepward.runtime import money, wiring
from stepward.runtime.http import answer, caller, routes

router = routes()


@router.get("/models")
def list_models() -> Any:
    """List the models with what they can do and cost."""
    return answer(200, _models().list(caller(router.current_event).tenant))


@router.get("/models/.+")
def show_model() -> Any:
    """Show one model."""
    event = router.current_event
    return answer(200, _models().one(caller(event).tenant, unquote(event.path_parameters["model"])))


def _models() -> ShowModels:
    return ShowModels(money.price_store(), wiring.clock())
