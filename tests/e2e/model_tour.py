"""What somebody does with the API so that the functions that call models and start such runs need every word that they ask for."""

from __future__ import annotations

import uuid
from typing import Any

from tests.e2e.conftest import forget_limits


def real_model(tour: Any, model: str, **fields: Any) -> None:
    """Start a run that a model answers, for its agent has no rehearsal."""
    name = f"tour-{uuid.uuid4().hex[:12]}"
    body = {"id": name, "name": name, "version": "1.0.0", "prompt": "Be brief.", "model": model, **fields}
    tour.api.post("/agents", json=body)
    # A process that has read keys or a provider's health would not ask again for a while.
    forget_limits(tour.laptop)
    tour.start(name)


def is_told_by_the_run(tour: Any, denied: str) -> bool:
    """Whether a run that failed lately has AWS's words: a provider's refusal is its error, and none of the function."""
    runs = tour.api.get("/runs", params={"status": "FAILED", "limit": 20}).json()["runs"]
    return any(denied in tour.api.get(f"/runs/{run['id']}").text for run in runs)


def attach(tour: Any) -> None:
    """Start a run that is to show its model a data file."""
    body = {"input": "hello", "attachments": ["datasets/orders.csv"]}
    tour.api.post(f"/agents/{tour.agent()}/runs", json=body)


def estimate_attached(tour: Any) -> None:
    """Ask what a run would cost that shows its model a data file."""
    body = {"input": "hello", "attachments": ["datasets/orders.csv"]}
    tour.api.post(f"/agents/{tour.agent()}/estimate", json=body)


def count_arms(tour: Any) -> None:
    """Ask for the counts of a prompt of its own."""
    name = f"tour-{uuid.uuid4().hex[:12]}"
    tour.api.post("/prompts", json={"id": name, "version": "1.0.0", "template": "Help."})
    tour.api.get(f"/prompts/{name}/arms")


MODEL_USES: dict[tuple[str, str], Any] = {
    ("prompts_api", "registry:prompts"): lambda tour: tour.api.get("/prompts"),
    ("prompts_api", "runtime:prompts"): count_arms,
    ("runs_api", "data:read"): attach,
    ("costs_api", "data:read"): estimate_attached,
    ("agent_advance", "models:invoke"): lambda tour: real_model(tour, "bedrock/claude-haiku-5-5"),
    ("agent_advance", "providers:read"): lambda tour: real_model(tour, "claude-haiku-5-5"),
    ("agent_advance", "limits:responses"): lambda tour: real_model(
        tour, "claude-haiku-5-5", response_cache={"ttl_s": 60}
    ),
    ("agent_advance", "limits:providers"): lambda tour: real_model(tour, "bedrock/claude-haiku-5-5"),
}
