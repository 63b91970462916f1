"""Starts a workflow's run, and waits for its end if the caller asks for that."""

from __future__ import annotations

from typing import Any

from stepward.runtime import workflow_wiring
from stepward.runtime.http import answer, body_of, caller, query_of, routes
from stepward.runtime.long_poll import until_ended, wait_of

router = routes()


@router.post("/workflows/<workflow_id>/runs")
def start_run(workflow_id: str) -> Any:
    """Answer 202 with the run, or 200 once it has ended within `?wait=`."""
    event = router.current_event
    by, seconds = caller(event), wait_of(query_of(event).get("wait"))
    body = body_of(event) if event.body else {}
    start, show = workflow_wiring.start_case(), workflow_wiring.show_case()
    head, _ = start(by, workflow_id, body, event.headers.get("idempotency-key"))
    run = until_ended(lambda: show.run(by.tenant, head.run), seconds)
    return answer(200 if run["ended_at"] else 202, run, {"Location": f"/runs/{head.run}"})
