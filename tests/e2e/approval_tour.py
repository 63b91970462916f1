"""What somebody does with approvals, so that each word about them is needed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.line_tour import until_refused
from tests.local.patience import wait_for

RUNTIME = "stepward-laptop-runtime"


def ask(tour: Any, **settings: Any) -> str:
    """Start a run that asks; who started it may decide."""
    tool = {"tool": "ask_person", "config": {"not_requester": False, **settings}}
    return str(tour.call(tool, question="May I?"))


def asked(tour: Any, **settings: Any) -> str:
    """Wait until somebody is asked, and name the approval."""
    approval = f"{ask(tour, **settings)}.call_1_1"
    wait_for(lambda: _item(tour, approval).get("Item", {}).get("said", {}).get("S", "{}") != "{}" or None)
    return approval


def ask_until_refused(tour: Any) -> None:
    """Let an agent ask while it may not; the run must not wait for a week afterwards."""
    run = ask(tour)
    until_refused(tour)
    tour.api.post(f"/runs/{run}/cancel")


def decide(tour: Any) -> None:
    """Say yes."""
    approval = asked(tour)
    tour.api.post(f"/approvals/{approval}/decision", json={"decision": "approve"})


def _item(tour: Any, approval: str) -> dict[str, Any]:
    key = {"pk": {"S": "T#acme#APPROVAL"}, "sk": {"S": approval}}
    found: dict[str, Any] = tour.laptop.client("dynamodb").get_item(TableName=RUNTIME, Key=key)
    return found


APPROVAL_USES: dict[tuple[str, str], Callable[[Any], object]] = {
    ("approvals_api", "journal:append"): decide,
    ("approvals_api", "journal:read"): lambda tour: tour.api.get(f"/approvals/{asked(tour)}"),
    ("approvals_api", "runtime:read-write"): lambda tour: tour.api.get("/approvals"),
    ("approvals_api", "runtime:check"): decide,
    ("approvals_api", "agent-run:answer"): decide,
    ("dispatch", "runtime:check"): ask_until_refused,
    ("dispatch", "events:put"): ask_until_refused,
}
