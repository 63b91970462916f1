"""List runs, show one with its events, and compare two."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from stepward.domain.errors import NotFound
from stepward.runtime.container import container
from stepward.runtime.http import answer, caller, query_of, routes

router = routes()


@router.get("/runs")
def list_runs() -> Response[str]:
    """List runs of agents and workflows, newest first.

    Returns:
        200 with the page and its `next_cursor`.

    Raises:
        InvalidRequest: A query parameter is invalid.
    """
    event = router.current_event
    return answer(200, container.workflow_runs.list_all.list(caller(event).tenant, query_of(event)))


@router.get("/runs/<run_id>")
def show_run(run_id: str) -> Response[str]:
    """Show one run with its input and output; a workflow's with its tasks.

    Args:
        run_id: The run's id.

    Returns:
        200 with the run.

    Raises:
        NotFound: There is no such run.
    """
    tenant = caller(router.current_event).tenant
    # Reading the head first would say which kind it is, and cost each poll of an agent's run one read more.
    try:
        return answer(200, container.runs.show.detail(tenant, run_id))
    except NotFound:
        return answer(200, container.workflows.show.run(tenant, run_id))


@router.get("/runs/<run_id>/events")
def show_events(run_id: str) -> Response[str]:
    """Show what happened in a run `after` a cursor.

    Args:
        run_id: The run's id.

    Returns:
        200 with the events and the `next` cursor.

    Raises:
        NotFound: There is no such run.
        InvalidRequest: The cursor is invalid.
    """
    tenant, query = caller(router.current_event).tenant, query_of(router.current_event)
    with container.workflow_runs.list_all.of_kind("agent", tenant, run_id):
        return answer(200, container.runs.show.events(tenant, run_id, query))


@router.get("/runs/<run_id>/diff")
def diff_runs(run_id: str) -> Response[str]:
    """Compare a run `with` another one.

    Args:
        run_id: The run's id.

    Returns:
        200 with the turns that differ.

    Raises:
        NotFound: There is no such run.
    """
    tenant, query = caller(router.current_event).tenant, query_of(router.current_event)
    with container.workflow_runs.list_all.of_kind("agent", tenant, run_id):
        return answer(200, container.runs.diff(tenant, run_id, query))
