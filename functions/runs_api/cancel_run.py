"""Cancels a run, and runs a workflow again from where it failed."""

from __future__ import annotations

from typing import Any

from stepward.agents.run_control import CancelRun
from stepward.domain.runs import RunKey, run_view
from stepward.runtime import wiring, workflow_wiring
from stepward.runtime.http import answer, body_of, caller, routes
from stepward.workflows.services.views import workflow_run_view

router = routes()


@router.post("/runs/<run_id>/cancel")
def cancel_run(run_id: str) -> Any:
    """Answer 202 with the cancelled run."""
    by = caller(router.current_event)
    if wiring.runtime_state().head(RunKey(tenant=by.tenant, run=run_id)) is None:
        ended = workflow_wiring.end_case().cancel(by.tenant, run_id, by.principal)
        return answer(202, workflow_run_view(ended))
    cancel = CancelRun(wiring.run_ports())
    return answer(202, run_view(cancel(by.tenant, run_id, by.principal)))


@router.post("/runs/<run_id>/rerun")
def rerun(run_id: str) -> Any:
    """Answer 202 with the new run of a workflow, which takes over what the old one completed."""
    event = router.current_event
    key = event.headers.get("idempotency-key")
    by, rerun_run = caller(event), workflow_wiring.rerun_case()
    body = body_of(event) if event.body else None
    with workflow_wiring.all_runs().of_kind("workflow", by.tenant, run_id):
        head = rerun_run(by, run_id, key, body)
    return answer(202, workflow_run_view(head), {"Location": f"/runs/{head.run}"})
