"""Takes a decision."""

from __future__ import annotations

from typing import Any

from stepward.runtime import asking
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.post("/approvals/<approval_id>/decision")
def decide(approval_id: str) -> Any:
    """Answer with the approval as it is now; the run goes on."""
    event = router.current_event
    return answer(200, asking.decide_approval_case()(caller(event), approval_id, body_of(event)))
