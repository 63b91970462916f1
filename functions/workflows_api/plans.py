"""Plan workflows and compare versions, before and after they are registered."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from functions.workflows_api.registered_workflows import kind_of
from stepward.runtime.container import container
from stepward.runtime.http import answer, bytes_of, caller, query_of, routes

router = routes()


@router.post("/workflows/plan")
def plan_document() -> Response[str]:
    """Plan a document that is not registered; `as` draws it instead.

    Returns:
        200 with the plan, or the drawing.

    Raises:
        InvalidRequest: The document has problems; `errors` has all of them.
    """
    event = router.current_event
    tenant, form = caller(event).tenant, query_of(event).get("as")
    return _planned(container.workflows.plan.of_document(tenant, bytes_of(event), kind_of(event), form))


@router.get("/workflows/<workflow_id>/plan")
def plan_version(workflow_id: str) -> Response[str]:
    """Plan a registered `version`; `as` draws it instead.

    Args:
        workflow_id: The workflow's id.

    Returns:
        200 with the plan, or the drawing.

    Raises:
        NotFound: There is no such version.
    """
    event = router.current_event
    tenant, query = caller(event).tenant, query_of(event)
    plan = container.workflows.plan
    return _planned(plan.of_version(tenant, workflow_id, query.get("version"), query.get("as")))


@router.get("/workflows/<workflow_id>/diff")
def diff_versions(workflow_id: str) -> Response[str]:
    """Compare two versions, `from` one `to` another.

    Args:
        workflow_id: The workflow's id.

    Returns:
        200 with what differs.

    Raises:
        NotFound: There is no such version.
    """
    event = router.current_event
    tenant, query = caller(event).tenant, query_of(event)
    found = container.workflows.plan.between(tenant, workflow_id, query.get("from"), query.get("to"))
    return answer(200, found.model_dump(mode="json"))


@router.post("/workflows/<workflow_id>/diff")
def diff_document(workflow_id: str) -> Response[str]:
    """Compare the newest version with a document that is not registered.

    Args:
        workflow_id: The workflow's id.

    Returns:
        200 with what differs.

    Raises:
        NotFound: There is no such workflow.
        InvalidRequest: The document has problems.
    """
    event = router.current_event
    tenant, plan = caller(event).tenant, container.workflows.plan
    found = plan.with_document(tenant, workflow_id, bytes_of(event), kind_of(event))
    return answer(200, found.model_dump(mode="json"))


def _planned(found: Any) -> Response[str]:
    """Answer with a plan as JSON, or with its drawing in the media type asked for."""
    if found.values is not None:
        return answer(200, found.values)
    return Response(200, found.media_type, found.text)
