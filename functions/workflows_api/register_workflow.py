"""Registers versions of workflows, and removes them."""

from __future__ import annotations

from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from stepward.domain.documents import Kind
from stepward.ports.workflow_registry import VersionStatus
from stepward.runtime import workflow_wiring
from stepward.runtime.http import answer, bytes_of, caller, query_of, routes
from stepward.runtime.long_poll import until_published, wait_of
from stepward.workflows.services.views import version_view

router = routes()

PATIENCE_S: Final = 10
"""Making a machine takes a second or two; whoever asks for another time says `?wait=`."""


@router.post("/workflows")
def register_workflow() -> Any:
    """Answer 201 for a new version that is READY, 200 for one that was there, 202 while its machine is being made."""
    event = router.current_event
    by, show = caller(event), workflow_wiring.registry()
    asked = query_of(event).get("wait")
    kept, is_new = workflow_wiring.register_case()(by, bytes_of(event), kind_of(event))
    name, version = kept.definition.id, kept.definition.version
    if kept.status is VersionStatus.PUBLISHING:
        seconds = PATIENCE_S if asked is None else wait_of(asked)
        kept = until_published(lambda: show.version(by.tenant, name, version) or kept, seconds)
    status = 202 if kept.status is VersionStatus.PUBLISHING else 201 if is_new else 200
    return answer(status, version_view(kept), {"Location": f"/workflows/{name}?version={version}"})


@router.delete("/workflows/<workflow_id>/versions/<version>")
def remove_version(workflow_id: str, version: str) -> Any:
    """Answer that it is gone; 409 while runs use it."""
    tenant = caller(router.current_event).tenant
    workflow_wiring.remove_case()(tenant, workflow_id, version)
    return answer(200, {"id": workflow_id, "version": version, "removed": True})


def kind_of(event: APIGatewayProxyEventV2) -> Kind:
    """Read from the content type in which language a document is written."""
    said = event.headers.get("content-type", "")
    if "yaml" in said:
        return "yaml"
    return "json" if "json" in said else "auto"
