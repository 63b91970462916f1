"""Register, list, show, start and remove workflows, and list their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from stepward.runtime.container import container
from stepward.runtime.http import answer, body_of, bytes_of, caller, query_of, routes
from stepward.runtime.long_poll import until_ended, until_published, wait_of

if TYPE_CHECKING:
    from stepward.domain.documents import Kind

router = routes()

PUBLISH_WAIT_S: Final = 10
"""Default of `?wait=`, in seconds; creating a machine takes a second or two."""


@router.post("/workflows")
def register_workflow() -> Response[str]:
    """Register a version of a workflow; `wait` is how many seconds to wait for its machine.

    Returns:
        201 for a new version, 200 for one that was there, 202 while its machine is being made.

    Raises:
        InvalidRequest: The document has problems; `errors` has all of them.
        Conflict: The version is there with other content.
    """
    event = router.current_event
    by, asked = caller(event), query_of(event).get("wait")
    kept, is_new = container.workflows.register(by, bytes_of(event), kind_of(event))
    name, version = kept.definition.id, kept.definition.version
    if kept.is_publishing:
        seconds = PUBLISH_WAIT_S if asked is None else wait_of(asked)
        look = container.ports.workflow_registry.version
        kept = until_published(lambda: look(by.tenant, name, version) or kept, seconds)
    status = 202 if kept.is_publishing else 201 if is_new else 200
    where = {"Location": f"/workflows/{name}?version={version}"}
    return answer(status, container.workflows.version_view(kept), where)


@router.get("/workflows")
def list_workflows() -> Response[str]:
    """List workflows by id.

    Returns:
        200 with the page and its `next_cursor`.

    Raises:
        InvalidRequest: A query parameter is invalid.
    """
    event = router.current_event
    return answer(200, container.workflows.show.list(caller(event).tenant, query_of(event)))


@router.get("/workflows/schema")
def show_schema() -> Response[str]:
    """Return the JSON Schema of documents, for editors.

    Returns:
        200 with the schema.
    """
    return answer(200, container.workflows.document_schema())


@router.get("/workflows/<workflow_id>")
def show_workflow(workflow_id: str) -> Response[str]:
    """Show one version with its document; `version` is the newest by default.

    Args:
        workflow_id: The workflow's id.

    Returns:
        200 with the version.

    Raises:
        NotFound: There is no such version.
    """
    event = router.current_event
    return answer(200, container.workflows.show.detail(caller(event).tenant, workflow_id, query_of(event)))


@router.delete("/workflows/<workflow_id>/versions/<version>")
def remove_version(workflow_id: str, version: str) -> Response[str]:
    """Remove a version.

    Args:
        workflow_id: The workflow's id.
        version: The version, such as 1.0.0.

    Returns:
        200.

    Raises:
        NotFound: There is no such version.
        Conflict: Runs use it.
    """
    container.workflows.remove(caller(router.current_event).tenant, workflow_id, version)
    return answer(200, {"id": workflow_id, "version": version, "removed": True})


@router.post("/workflows/<workflow_id>/runs")
def start_run(workflow_id: str) -> Response[str]:
    """Start a run of a workflow; `wait` as for an agent.

    Args:
        workflow_id: The workflow's id.

    Returns:
        202 with the run, or 200 once it has ended.

    Raises:
        NotFound: There is no such version.
        InvalidRequest: The body is invalid, or the input does not fit.
        Conflict: The version's machine is being made.
    """
    event = router.current_event
    by, seconds = caller(event), wait_of(query_of(event).get("wait"))
    body, key = body_of(event) if event.body else {}, event.headers.get("idempotency-key")
    head, _ = container.workflow_runs.start(by, workflow_id, body, key)
    run = until_ended(lambda: container.workflows.show.run(by.tenant, head.run), seconds)
    return answer(200 if run["ended_at"] else 202, run, {"Location": f"/runs/{head.run}"})


@router.get("/workflows/<workflow_id>/runs")
def list_runs(workflow_id: str) -> Response[str]:
    """List a workflow's runs, newest first.

    Args:
        workflow_id: The workflow's id.

    Returns:
        200 with the page and its `next_cursor`.

    Raises:
        NotFound: There is no such workflow.
    """
    event = router.current_event
    tenant = caller(event).tenant
    container.workflows.show.detail(tenant, workflow_id, {})
    query = {**query_of(event), "workflow": workflow_id}
    return answer(200, container.workflow_runs.list_all.list(tenant, query))


def kind_of(event: APIGatewayProxyEventV2) -> Kind:
    """Read from the content type in which language a document is written.

    Args:
        event: The request.

    Returns:
        `yaml` or `json`, or `auto` where the content type names neither.
    """
    said = event.headers.get("content-type", "")
    if "yaml" in said:
        return "yaml"
    return "json" if "json" in said else "auto"
