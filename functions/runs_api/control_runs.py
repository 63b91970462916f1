"""Cancel, pause, resume and rerun runs."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from stepward.domain.runs import RunKey, run_view
from stepward.runtime.container import container
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.post("/runs/<run_id>/cancel")
def cancel_run(run_id: str) -> Response[str]:
    """Cancel a run.

    Args:
        run_id: The run's id.

    Returns:
        202 with the run.

    Raises:
        NotFound: There is no such run.
        Conflict: It has ended.
    """
    by = caller(router.current_event)
    if container.ports.runtime_state.head(RunKey(tenant=by.tenant, run=run_id)) is None:
        ended = container.workflow_runs.end.cancel(by.tenant, run_id, by.principal)
        return answer(202, container.workflow_runs.view(ended))
    return answer(202, run_view(container.runs.cancel(by.tenant, run_id, by.principal)))


@router.post("/runs/<run_id>/pause")
def pause_run(run_id: str) -> Response[str]:
    """Pause a run after the step that it is at.

    Args:
        run_id: The run's id.

    Returns:
        202 with the run.

    Raises:
        NotFound: There is no such run.
        Conflict: It is paused, or has ended.
    """
    by = caller(router.current_event)
    with container.workflow_runs.list_all.of_kind("agent", by.tenant, run_id):
        return answer(202, run_view(container.runs.pause(by.tenant, run_id, by.principal)))


@router.post("/runs/<run_id>/resume")
def resume_run(run_id: str) -> Response[str]:
    """Resume a paused run as soon as it has a slot.

    Args:
        run_id: The run's id.

    Returns:
        202 with the run.

    Raises:
        NotFound: There is no such run.
        Conflict: It is not paused.
    """
    by = caller(router.current_event)
    with container.workflow_runs.list_all.of_kind("agent", by.tenant, run_id):
        return answer(202, run_view(container.runs.resume(by.tenant, run_id, by.principal)))


@router.post("/runs/<run_id>/rerun")
def rerun(run_id: str) -> Response[str]:
    """Run a failed workflow again; what it completed is taken over.

    Args:
        run_id: The run's id.

    Returns:
        202 with the new run.

    Raises:
        NotFound: There is no such run.
        Conflict: It has not failed.
    """
    event = router.current_event
    key = event.headers.get("idempotency-key")
    by, body = caller(event), body_of(event) if event.body else None
    with container.workflow_runs.list_all.of_kind("workflow", by.tenant, run_id):
        head = container.workflow_runs.rerun(by, run_id, key, body)
    return answer(202, container.workflow_runs.view(head), {"Location": f"/runs/{head.run}"})
