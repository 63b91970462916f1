"""Cancel, pause, resume and rerun runs."""

from __future__ import annotations

from typing import Any

from stepward.domain.runs import RunKey, run_view
from stepward.runtime.container import container
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.post("/runs/<run_id>/cancel")
def cancel_run(run_id: str) -> Any:
    """Answer 202 with the cancelled run."""
    by = caller(router.current_event)
    if container.ports.runtime_state.head(RunKey(tenant=by.tenant, run=run_id)) is None:
        ended = container.workflow_runs.end.cancel(by.tenant, run_id, by.principal)
        return answer(202, container.workflow_runs.view(ended))
    return answer(202, run_view(container.runs.cancel(by.tenant, run_id, by.principal)))


@router.post("/runs/<run_id>/pause")
def pause_run(run_id: str) -> Any:
    """Answer 202 with the run, which pauses after the step that it is at."""
    by = caller(router.current_event)
    with container.workflow_runs.list_all.of_kind("agent", by.tenant, run_id):
        return answer(202, run_view(container.runs.pause(by.tenant, run_id, by.principal)))


@router.post("/runs/<run_id>/resume")
def resume_run(run_id: str) -> Any:
    """Answer 202 with the run, which goes on as soon as it has a slot."""
    by = caller(router.current_event)
    with container.workflow_runs.list_all.of_kind("agent", by.tenant, run_id):
        return answer(202, run_view(container.runs.resume(by.tenant, run_id, by.principal)))


@router.post("/runs/<run_id>/rerun")
def rerun(run_id: str) -> Any:
    """Answer 202 with the new run of a workflow, which takes over what the old one completed."""
    event = router.current_event
    key = event.headers.get("idempotency-key")
    by, body = caller(event), body_of(event) if event.body else None
    with container.workflow_runs.list_all.of_kind("workflow", by.tenant, run_id):
        head = container.workflow_runs.rerun(by, run_id, key, body)
    return answer(202, container.workflow_runs.view(head), {"Location": f"/runs/{head.run}"})
