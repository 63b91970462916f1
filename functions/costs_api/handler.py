"""Serves the part of the API that is about money."""

from __future__ import annotations

from typing import Any

from functions.costs_api.budgets import router as bounding
from functions.costs_api.costs import router as counting
from functions.costs_api.estimate import router as estimating
from functions.costs_api.models import router as modelling
from functions.costs_api.prices import router as pricing
from stepward.runtime.entry import room
from stepward.runtime.http import http_app

app = http_app(counting, bounding, pricing, estimating, modelling)


@room("costs request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
