"""Look up workflows and their runs by id."""

from __future__ import annotations

from stepward.domain.errors import NotFound
from stepward.domain.ids import AGENT_ID_PATTERN, VERSION_PATTERN, check_id
from stepward.domain.runs import checked_key, existing_head
from stepward.domain.task_records import WorkflowHead
from stepward.ports.workflow_registry import RegisteredWorkflow, WorkflowRegistry
from stepward.ports.workflow_runs import WorkflowRuns


def find_workflow(
    registry: WorkflowRegistry, tenant: str, workflow: str, version: str | None
) -> RegisteredWorkflow:
    """Read a version of a workflow.

    Args:
        registry: Where versions are kept.
        tenant: Whose workflow it is.
        workflow: The workflow's id.
        version: A version, or `latest` or None for the newest.

    Returns:
        The version as it is registered.

    Raises:
        InvalidRequest: The id or the version is malformed.
        NotFound: There is no such workflow or version.
    """
    check_id("workflow_id", workflow, AGENT_ID_PATTERN)
    if version not in (None, "latest"):
        check_id("version", version, VERSION_PATTERN)
    found = registry.version(tenant, workflow, None if version == "latest" else version)
    if found is None:
        what = f"version {version} of workflow {workflow!r}" if version else f"workflow {workflow!r}"
        raise NotFound(
            f"there is no {what}.", field="workflow_id", fix="GET /workflows lists those that are there"
        )
    return found


def find_workflow_run(runs: WorkflowRuns, tenant: str, run: str) -> WorkflowHead:
    """Read the head of a workflow's run.

    Args:
        runs: Where runs are kept.
        tenant: Whose run it is.
        run: The run's id.

    Returns:
        The head: status, version, times and totals.

    Raises:
        InvalidRequest: The id is malformed.
        NotFound: There is no such run.
    """
    return existing_head(runs.head(checked_key(tenant, run)), run)
