"""Hold a start to its rules: which version may be started, what input fits, and how deep workflows may run each other."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from stepward.agents.start import INPUT_LIMIT_BYTES
from stepward.domain.errors import Conflict, InvalidRequest, NotAllowed
from stepward.domain.json_schemas import faults_of_value
from stepward.domain.json_values import carried_bytes
from stepward.ports.workflow_registry import RegisteredWorkflow, VersionStatus, WorkflowRegistry
from stepward.workflow.finding import find_workflow
from stepward.workflow.limits import DEEPEST_NESTING

TRY_AGAIN: Final = "try again in a moment; GET the version to see when it is READY"
"""What to do about a version whose machine is being made."""


def startable_workflow(
    registry: WorkflowRegistry, tenant: str, workflow: str, version: str | None
) -> RegisteredWorkflow:
    """Read the version that a run is started with; one that is not READY is a `Conflict` that says so."""
    found = find_workflow(registry, tenant, workflow, version)
    if version in (None, "latest") and found.status in (VersionStatus.REFUSED, VersionStatus.ARCHIVED):
        ready = (one for one in registry.versions(tenant, workflow) if one.status is VersionStatus.READY)
        found = next(ready, found)
    if found.status is VersionStatus.READY:
        return found
    fixes = {
        VersionStatus.PUBLISHING: TRY_AGAIN,
        VersionStatus.REFUSED: "register another version",
        VersionStatus.ARCHIVED: "start another version",
    }
    raise Conflict(
        f"{workflow} {found.definition.version} is {found.status}"
        + (f": {found.detail}" if found.detail else "."),
        field="version",
        fix=fixes[found.status],
    )


def being_made(workflow: str, version: str) -> Conflict:
    """The error for a version whose machine was gone; no run is left of the start."""
    return Conflict(
        f"the state machine of {workflow} {version} was gone and is being made again; no run was started.",
        field="version",
        fix=TRY_AGAIN,
    )


def check_input(found: RegisteredWorkflow, given: Any) -> None:
    """Refuse an input that is too large, or does not fit what the version asks for."""
    size = carried_bytes(given)
    if size > INPUT_LIMIT_BYTES:
        raise InvalidRequest(
            f"the input takes {size} bytes, the limit is {INPUT_LIMIT_BYTES}.", field="input", fix="send less"
        )
    schema = found.definition.input
    faults = (
        list(islice(faults_of_value(given, {"additionalProperties": True, **schema}), 20)) if schema else []
    )
    if faults:
        raise InvalidRequest(
            f"the input does not fit: {faults[0]}.",
            field="input",
            fix=f"GET /workflows/{found.definition.id} shows its schema",
            errors=[{"field": "input", "detail": fault, "fix": "mend the input"} for fault in faults],
        )


def check_descent(workflow: str, ancestors: tuple[str, ...]) -> None:
    """Refuse a workflow that would wait for itself, or that is nested too deep."""
    if workflow in ancestors:
        path = " → ".join((*ancestors, workflow))
        raise NotAllowed(f"the workflows would run each other in a circle: {path}.", field="workflow")
    if len(ancestors) >= DEEPEST_NESTING:
        raise NotAllowed(f"workflows may run each other {DEEPEST_NESTING} deep.", field="workflow")
