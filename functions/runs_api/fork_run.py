"""Forks a run, and compares two."""

from __future__ import annotations

from typing import Any

from stepward.agents.diff_runs import DiffRuns
from stepward.agents.show_runs import new_run_view
from stepward.runtime import wiring, workflow_wiring
from stepward.runtime.http import answer, body_of, caller, query_of, routes
from stepward.runtime.long_poll import until_ended, wait_of

router = routes()


@router.post("/runs/<run_id>/fork")
def fork_run(run_id: str) -> Any:
    """Answer 202 with the new run, or 200 once it has ended within `?wait=`."""
    event = router.current_event
    by, seconds, body = caller(event), wait_of(query_of(event).get("wait")), body_of(event)
    key = event.headers.get("idempotency-key")
    fork = wiring.fork_run_case()
    with workflow_wiring.all_runs().of_kind("agent", by.tenant, run_id):
        head, given, is_new = fork(by, run_id, body, key)
    show = wiring.show_runs_case()
    if is_new and not seconds:
        run = new_run_view(head, given)
    else:
        run = until_ended(lambda: show.detail(by.tenant, head.run), seconds)
    return answer(200 if run["ended_at"] else 202, run, {"Location": f"/runs/{head.run}"})


@router.get("/runs/<run_id>/diff")
def diff_runs(run_id: str) -> Any:
    """Show where two runs part."""
    diff = DiffRuns(wiring.journal(), wiring.runtime_state())
    tenant, query = caller(router.current_event).tenant, query_of(router.current_event)
    with workflow_wiring.all_runs().of_kind("agent", tenant, run_id):
        return answer(200, diff(tenant, run_id, query))
