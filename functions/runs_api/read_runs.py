"""Lists runs, shows one, and serves its events."""

from __future__ import annotations

from typing import Any

from stepward.agents.show_runs import ShowRuns
from stepward.domain.errors import NotFound
from stepward.runtime import wiring, workflow_wiring
from stepward.runtime.http import answer, caller, query_of, routes

router = routes()


@router.get("/runs")
def list_runs() -> Any:
    """List runs of agents and workflows, newest first."""
    event = router.current_event
    return answer(200, workflow_wiring.all_runs().list(caller(event).tenant, query_of(event)))


@router.get("/runs/<run_id>")
def show_run(run_id: str) -> Any:
    """Show one run with its input and output; a workflow's with its tasks."""
    tenant = caller(router.current_event).tenant
    try:
        return answer(200, _show().detail(tenant, run_id))
    except NotFound:
        return answer(200, workflow_wiring.show_case().run(tenant, run_id))


@router.get("/runs/<run_id>/events")
def show_events(run_id: str) -> Any:
    """Show what happened in a run after a cursor."""
    tenant, query = caller(router.current_event).tenant, query_of(router.current_event)
    with workflow_wiring.all_runs().of_kind("agent", tenant, run_id):
        return answer(200, _show().events(tenant, run_id, query))


def _show() -> ShowRuns:
    return wiring.show_runs_case()
