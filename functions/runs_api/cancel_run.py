"""Cancels a run."""

from __future__ import annotations

from typing import Any

from stepward.agents.cancel import CancelRun
from stepward.domain.runs import run_view
from stepward.runtime import wiring
from stepward.runtime.http import answer, caller, routes

router = routes()


@router.post("/runs/<run_id>/cancel")
def cancel_run(run_id: str) -> Any:
    """Answer 202 with the cancelled run."""
    by = caller(router.current_event)
    cancel = CancelRun(wiring.run_ports())
    return answer(202, run_view(cancel(by.tenant, run_id, by.principal)))
