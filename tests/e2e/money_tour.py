"""What somebody does with the API so that the rooms about money need every word that they ask for."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import forget_limits
from tests.local.patience import wait_for

JANITOR = "stepward-laptop-janitor"


def budget_alert(tour: Any) -> None:
    """Use a day's budget up until a run is refused, and let the janitor look."""
    agent = tour.agent()
    tour.api.put("/budgets/day", json={"limit_usd": "0.02002"})
    forget_limits(tour.laptop)

    def answers(status: int) -> bool | None:
        start = {"input": "hello", "charge": True}
        said = tour.api.post(f"/agents/{agent}/runs", params={"wait": 25}, json=start)
        return said.status_code == status or None

    try:
        wait_for(lambda: answers(402), 40)
        tour.laptop.client("lambda").invoke(FunctionName=JANITOR, Payload=b"{}")
    finally:
        tour.api.delete("/budgets/day")
        forget_limits(tour.laptop)
        wait_for(lambda: answers(200), 40)


MONEY_USES: dict[tuple[str, str], Any] = {
    ("costs_api", "registry:configure"): lambda tour: tour.api.get("/limits"),
    ("costs_api", "runtime:budget"): lambda tour: tour.api.get("/costs"),
    ("janitor", "events:put"): budget_alert,
}
