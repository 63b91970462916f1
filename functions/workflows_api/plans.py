"""Plan workflows and compare versions, before and after they are registered."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from functions.workflows_api.registered_workflows import kind_of
from stepward.runtime.container import container
from stepward.runtime.http import answer, bytes_of, caller, query_of, routes

router = routes()


@router.post("/workflows/plan")
def plan_document() -> Any:
    """Plan a document that is not registered; 400 with all that is wrong with it."""
    event = router.current_event
    tenant, form = caller(event).tenant, query_of(event).get("as")
    return _planned(container.workflows.plan.of_document(tenant, bytes_of(event), kind_of(event), form))


@router.get("/workflows/<workflow_id>/plan")
def plan_version(workflow_id: str) -> Any:
    """Plan a version, the newest by default."""
    event = router.current_event
    tenant, query = caller(event).tenant, query_of(event)
    plan = container.workflows.plan
    return _planned(plan.of_version(tenant, workflow_id, query.get("version"), query.get("as")))


@router.get("/workflows/<workflow_id>/diff")
def diff_versions(workflow_id: str) -> Any:
    """Compare two versions, the second one the newest by default."""
    event = router.current_event
    tenant, query = caller(event).tenant, query_of(event)
    found = container.workflows.plan.between(tenant, workflow_id, query.get("from"), query.get("to"))
    return answer(200, found.model_dump(mode="json"))


@router.post("/workflows/<workflow_id>/diff")
def diff_document(workflow_id: str) -> Any:
    """Compare the newest version with a document that is not registered."""
    event = router.current_event
    tenant, plan = caller(event).tenant, container.workflows.plan
    found = plan.with_document(tenant, workflow_id, bytes_of(event), kind_of(event))
    return answer(200, found.model_dump(mode="json"))


def _planned(found: Any) -> Response[str]:
    """Answer with a plan's values as JSON, or with its text in the media type that was asked for."""
    if found.values is not None:
        return answer(200, found.values)
    return Response(200, found.media_type, found.text)
