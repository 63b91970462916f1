"""Versions of workflows: written once, published once, never changed."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.errors import Conflict
from stepward.domain.programs import Program
from stepward.domain.workflows import WorkflowDefinition


class VersionStatus(StrEnum):
    """A version's status: PUBLISHING to READY or REFUSED, READY to ARCHIVED."""

    PUBLISHING = "PUBLISHING"
    READY = "READY"
    REFUSED = "REFUSED"
    ARCHIVED = "ARCHIVED"


class RegisteredWorkflow(BaseModel):
    """A registered version; `machine` is the digest in its state machine's name."""

    model_config = ConfigDict(defer_build=True)

    definition: WorkflowDefinition
    created_at: str
    created_by: str = ""
    status: VersionStatus = VersionStatus.PUBLISHING
    detail: str | None = None
    machine: str
    states: int = 0

    @property
    def is_publishing(self) -> bool:
        """Whether its state machine is still being created."""
        return self.status is VersionStatus.PUBLISHING


class WorkflowSummary(BaseModel):
    """A workflow by its newest version, as lists show it."""

    model_config = ConfigDict(defer_build=True)

    id: str
    name: str
    version: str
    description: str = ""
    tags: list[str] = []
    tasks: int = 0
    status: VersionStatus = VersionStatus.PUBLISHING
    created_at: str


class WorkflowPage(BaseModel):
    """One page of workflows by id; `cursor` is None on the last one."""

    model_config = ConfigDict(defer_build=True)

    workflows: list[WorkflowSummary]
    cursor: str | None = None


class WorkflowRegistry(Protocol):
    """The registry table's part for workflows, with the bucket for what is large."""

    def keep(
        self, tenant: str, kept: RegisteredWorkflow, program: Program, machine: str
    ) -> RegisteredWorkflow:
        """Store a version with its program and machine; the same content again changes nothing.

        Args:
            tenant: Whose workflow.
            kept: The version.
            program: What it was compiled to.
            machine: The state machine's definition, as JSON.

        Returns:
            The version as it is stored, which is the earlier one where it existed.

        Raises:
            Conflict: The version exists with other content, or was removed.
        """

    def version(self, tenant: str, workflow: str, version: str | None = None) -> RegisteredWorkflow | None:
        """Read one version.

        Args:
            tenant: Whose workflow.
            workflow: The workflow's id.
            version: Its number; None for the newest.

        Returns:
            The version; None where there is none.
        """

    def versions(self, tenant: str, workflow: str) -> list[RegisteredWorkflow]:
        """List all versions of a workflow.

        Args:
            tenant: Whose workflow.
            workflow: The workflow's id.

        Returns:
            The versions, the newest first.
        """

    def program(self, tenant: str, workflow: str, version: str) -> Program:
        """Read what a version was compiled to, also of a removed one.

        Args:
            tenant: Whose workflow.
            workflow: The workflow's id.
            version: Its number.

        Returns:
            The program.

        Raises:
            NotFound: There was no such version.
        """

    def machine_text(self, tenant: str, workflow: str, version: str) -> str:
        """Read the state machine's definition.

        Args:
            tenant: Whose workflow.
            workflow: The workflow's id.
            version: Its number.

        Returns:
            The definition, as JSON.

        Raises:
            NotFound: There was no such version.
        """

    def mark(
        self, tenant: str, workflow: str, version: str, status: VersionStatus, detail: str | None
    ) -> None:
        """Write a version's status.

        Args:
            tenant: Whose workflow.
            workflow: The workflow's id.
            version: Its number.
            status: The new status.
            detail: Why it was refused; else None.
        """

    def remove(self, tenant: str, workflow: str, version: str) -> None:
        """Remove a version, and the workflow with its last one; its number is not used again.

        Args:
            tenant: Whose workflow.
            workflow: The workflow's id.
            version: Its number.
        """

    def list_workflows(self, tenant: str, *, limit: int, cursor: str | None) -> WorkflowPage:
        """List workflows by id.

        Args:
            tenant: Whose workflows.
            limit: How many at most.
            cursor: The `cursor` of the page before; None for the first page.

        Returns:
            The page.
        """


def summary(kept: RegisteredWorkflow) -> WorkflowSummary:
    """Show a version as lists do."""
    shown = kept.definition.model_dump(include={"id", "name", "version", "description", "tags"})
    return WorkflowSummary(
        **shown, tasks=len(kept.definition.tasks), status=kept.status, created_at=kept.created_at
    )


def changed_version(kept: RegisteredWorkflow) -> Conflict:
    """Return the error for a version that exists with other content."""
    definition = kept.definition
    return Conflict(
        f"version {definition.version} of {definition.id!r} exists with other content.",
        field="version",
        fix="versions never change: raise the version",
    )


def removed_version(kept: RegisteredWorkflow) -> Conflict:
    """Return the error for the number of a removed version, which is not used again."""
    definition = kept.definition
    return Conflict(
        f"version {definition.version} of {definition.id!r} was removed, and its number is not used again.",
        field="version",
        fix="raise the version",
    )


def newest_first(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order versions' items by their number."""
    return sorted(items, key=lambda item: version_order(item["sk"].removeprefix("V#")), reverse=True)


def version_order(version: str) -> tuple[int, ...]:
    """Order 1.10.0 after 1.9.0."""
    return tuple(int(part) for part in version.split("."))
