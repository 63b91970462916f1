"""Publish versions as state machines, and remove versions without runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stepward.domain.errors import Conflict, InvalidRequest
from stepward.ports.workflow_machines import StateMachineAdmin
from stepward.ports.workflow_registry import RegisteredWorkflow, VersionStatus, WorkflowRegistry
from stepward.ports.workflow_runs import WorkflowRuns
from stepward.workflows.program.lookup import find_workflow


@dataclass(frozen=True)
class PublishWorkflow:
    """The use case behind the queue of the publishing function; safe to repeat."""

    registry: WorkflowRegistry
    state_machines: StateMachineAdmin
    values: Mapping[str, str]
    """Values for the names in a machine's text: `TaskRun`, `JournalTable`, and formerly `TaskRunArn`."""

    def __call__(self, tenant: str, workflow: str, version: str) -> str:
        """Create a version's machine and mark it READY, or REFUSED if Step Functions refuses it.

        A version that is READY is made again: its machine was found to be gone.

        time →   made ✓ ─ ✗ dies        again: made before, the same ✓ ─ READY ✓
                 throttled              the message comes again

        Args:
            tenant: Whose workflow it is.
            workflow: The workflow's id.
            version: The version.

        Returns:
            The version's new status.

        Raises:
            NotFound: There is no such version.
        """
        kept = find_workflow(self.registry, tenant, workflow, version)
        text = self.registry.machine_text(tenant, workflow, version)
        for name, value in self.values.items():
            text = text.replace(f"${{{name}}}", value)
        tags = {"stepward:tenant": tenant, "stepward:workflow": workflow, "stepward:version": version}
        try:
            self.state_machines.make(kept.machine, text, tags)
        except InvalidRequest as error:
            self.registry.mark(tenant, workflow, version, VersionStatus.REFUSED, error.detail[:500])
            return VersionStatus.REFUSED
        self.registry.mark(tenant, workflow, version, VersionStatus.READY, None)
        return VersionStatus.READY


@dataclass(frozen=True)
class RemoveVersion:
    """The use case behind `DELETE /workflows/{workflow_id}/versions/{version}`."""

    registry: WorkflowRegistry
    runs: WorkflowRuns
    discard: Callable[[str], None]
    """Requests the deletion of a machine."""

    def __call__(self, tenant: str, workflow: str, version: str) -> RegisteredWorkflow:
        """Remove a version without runs, and have its machine deleted.

        time →   remove: archived ✓ ─ counts runs: none ─ removed ✓      start: reads READY before ─ its run is counted
                 remove: archived ✓ ─ counts runs: some ─ READY again     start: reads ARCHIVED → refused

        Args:
            tenant: Whose workflow it is.
            workflow: The workflow's id.
            version: The version.

        Returns:
            The removed version.

        Raises:
            NotFound: There is no such version.
            Conflict: Runs of it have not ended.
        """
        found = find_workflow(self.registry, tenant, workflow, version)
        self.registry.mark(tenant, workflow, version, VersionStatus.ARCHIVED, "it is being removed.")
        open_runs = self.runs.count_open(tenant, workflow, version)
        if open_runs:
            self.registry.mark(tenant, workflow, version, found.status, found.detail)
            raise Conflict(
                f"{open_runs} runs of {workflow} {version} have not ended.",
                field="version",
                fix="wait for them or cancel them, then remove the version",
            )
        self.registry.remove(tenant, workflow, version)
        self.discard(found.machine)
        return found
