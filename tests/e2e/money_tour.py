"""What somebody does with the API so that the rooms about money need every word that they ask for."""

from __future__ import annotations

from typing import Any

JANITOR = "stepward-laptop-janitor"


def budget_alert(tour: Any) -> None:
    """Let a run hold all of a day's budget while the janitor looks."""
    tour.api.put("/budgets/day", json={"limit_usd": "0.02"})
    try:
        run = tour.waiting()
        tour.laptop.client("lambda").invoke(FunctionName=JANITOR, Payload=b"{}")
        tour.stop(run)
    finally:
        tour.api.delete("/budgets/day")


MONEY_USES: dict[tuple[str, str], Any] = {
    ("costs_api", "registry:read-write"): lambda tour: tour.api.get("/limits"),
    ("costs_api", "runtime:read-write"): lambda tour: tour.api.get("/costs"),
    ("janitor", "events:put"): budget_alert,
}
