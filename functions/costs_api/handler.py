"""Serve the part of the API that is about money."""

from __future__ import annotations

from typing import Any

from functions.costs_api.budgets import router as budgets
from functions.costs_api.prices import router as prices
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import http_app

app = http_app(prices, budgets)


@lambda_handler("costs request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
