"""Says what workflows will do, before and after they are kept."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from functions.workflows_api.register_workflow import kind_of
from stepward.runtime import workflow_wiring
from stepward.runtime.http import answer, bytes_of, caller, query_of, routes
from stepward.workflows.services.plan_service import PlanAnswer

router = routes()


@router.post("/workflows/plan")
def plan_document() -> Any:
    """Plan a document that is not kept; 400 with all that is wrong with it."""
    event = router.current_event
    tenant, form = caller(event).tenant, query_of(event).get("as")
    return _told(workflow_wiring.foretell_case().of_document(tenant, bytes_of(event), kind_of(event), form))


@router.get("/workflows/<workflow_id>/plan")
def plan_version(workflow_id: str) -> Any:
    """Plan a version, the newest by default."""
    event = router.current_event
    tenant, query = caller(event).tenant, query_of(event)
    case = workflow_wiring.foretell_case()
    return _told(case.of_version(tenant, workflow_id, query.get("version"), query.get("as")))


@router.get("/workflows/<workflow_id>/diff")
def diff_versions(workflow_id: str) -> Any:
    """Compare two versions, the second one the newest by default."""
    event = router.current_event
    tenant, query = caller(event).tenant, query_of(event)
    found = workflow_wiring.foretell_case().between(tenant, workflow_id, query.get("from"), query.get("to"))
    return answer(200, found.model_dump(mode="json"))


@router.post("/workflows/<workflow_id>/diff")
def diff_document(workflow_id: str) -> Any:
    """Compare the newest version with a document that is not kept."""
    event = router.current_event
    tenant, case = caller(event).tenant, workflow_wiring.foretell_case()
    found = case.with_document(tenant, workflow_id, bytes_of(event), kind_of(event))
    return answer(200, found.model_dump(mode="json"))


def _told(found: PlanAnswer) -> Response[str]:
    if found.values is not None:
        return answer(200, found.values)
    return Response(200, found.media_type, found.text)
