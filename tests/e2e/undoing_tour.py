"""What somebody does so that a run has to be undone whose own execution is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.line_tour import until_refused
from tests.e2e.workflow_tour import CALL, MAKE, cancel, start, stop
from tests.local.patience import wait_for


def to_be_undone(tour: Any) -> str:
    """Start a run that has done something that another task undoes, and waits for a call."""
    made = {**MAKE, "compensate": {"type": "event", "event": "unmade"}}
    run = start(tour, made, {**CALL, "needs": ["make"]})
    wait_for(lambda: tour.api.get(f"/runs/{run}").json()["tasks"][0]["status"] == "COMPLETED" or None)
    return run


def stop_what_is_to_be_undone(tour: Any) -> None:
    """Stop the execution of such a run."""
    stop(tour, run := to_be_undone(tour))
    until_refused(tour)
    cancel(tour, run)


UNDOING_USES: dict[tuple[str, str], Callable[[Any], object]] = {
    ("run_closer", "workflows:start"): stop_what_is_to_be_undone,
}
