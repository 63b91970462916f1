"""Starts a run, and waits for its end if the caller asks for that."""

from __future__ import annotations

from typing import Any

from stepward.agents.show_runs import new_run_view
from stepward.runtime import wiring
from stepward.runtime.http import answer, body_of, caller, query_of, routes
from stepward.runtime.long_poll import until_ended, wait_of

router = routes()


@router.post("/agents/<agent_id>/runs")
def start_run(agent_id: str) -> Any:
    """Answer 202 with the run, or 200 once it has ended within `?wait=`."""
    event = router.current_event
    by, seconds, body = caller(event), wait_of(query_of(event).get("wait")), body_of(event)
    head, is_new = wiring.start_run_case()(by, agent_id, body, event.headers.get("idempotency-key"))
    show = wiring.show_runs_case()
    if is_new and not seconds:
        run = new_run_view(head, body["input"])
    else:
        run = until_ended(lambda: show.detail(by.tenant, head.run), seconds)
    return answer(200 if run["ended_at"] else 202, run, {"Location": f"/runs/{head.run}"})
