"""Lists workflows and shows their versions and runs."""

from __future__ import annotations

from typing import Any

from stepward.runtime import workflow_wiring
from stepward.runtime.http import answer, caller, query_of, routes
from stepward.workflows.documents.document_schema import json_schema

router = routes()


@router.get("/workflows")
def list_workflows() -> Any:
    """List workflows by id."""
    event = router.current_event
    return answer(200, workflow_wiring.show_case().list(caller(event).tenant, query_of(event)))


@router.get("/workflows/schema")
def show_schema() -> Any:
    """Show what a document may say, for editors."""
    return answer(200, json_schema())


@router.get("/workflows/<workflow_id>")
def show_workflow(workflow_id: str) -> Any:
    """Show one version with its document, the newest by default."""
    event = router.current_event
    shown = workflow_wiring.show_case().detail(caller(event).tenant, workflow_id, query_of(event))
    return answer(200, shown)


@router.get("/workflows/<workflow_id>/runs")
def list_runs(workflow_id: str) -> Any:
    """List a workflow's runs, newest first."""
    event = router.current_event
    tenant = caller(event).tenant
    workflow_wiring.show_case().detail(tenant, workflow_id, {})
    query = {**query_of(event), "workflow": workflow_id}
    return answer(200, workflow_wiring.all_runs().list(tenant, query))
