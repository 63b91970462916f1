"""Workflows' versions in dictionaries, with the same conditions as the table."""

from __future__ import annotations

from threading import RLock

from stepward.domain.errors import NotFound, StoreConflict
from stepward.domain.programs import Program
from stepward.ports.workflow_registry import (
    RegisteredWorkflow,
    VersionStatus,
    WorkflowPage,
    changed_version,
    removed_version,
    summary,
    version_order,
)

Name = tuple[str, str, str]


class MemoryWorkflowRegistry:
    """Keeps every version with its compiled program and machine."""

    def __init__(self) -> None:
        self._versions: dict[Name, RegisteredWorkflow] = {}
        self._large: dict[Name, tuple[str, str]] = {}
        self._removed: set[Name] = set()
        self._lock = RLock()

    def keep(
        self, tenant: str, kept: RegisteredWorkflow, program: Program, machine: str
    ) -> RegisteredWorkflow:
        """Write a version once."""
        name = (tenant, kept.definition.id, kept.definition.version)
        with self._lock:
            if name in self._removed:
                raise removed_version(kept)
            before = self._versions.get(name)
            if before is None:
                self._versions[name] = kept
                self._large[name] = (program.model_dump_json(by_alias=True), machine)
            elif before.machine != kept.machine:
                raise changed_version(kept)
            return self._versions[name]

    def version(self, tenant: str, workflow: str, version: str | None = None) -> RegisteredWorkflow | None:
        """Read one version, the newest by default."""
        if version is None:
            return next(iter(self.versions(tenant, workflow)), None)
        return self._versions.get((tenant, workflow, version))

    def versions(self, tenant: str, workflow: str) -> list[RegisteredWorkflow]:
        """List all versions by their number."""
        found = [kept for name, kept in self._versions.items() if name[:2] == (tenant, workflow)]
        return sorted(found, key=lambda kept: version_order(kept.definition.version), reverse=True)

    def program(self, tenant: str, workflow: str, version: str) -> Program:
        """Read a program."""
        return Program.model_validate_json(self._both(tenant, workflow, version)[0])

    def machine_text(self, tenant: str, workflow: str, version: str) -> str:
        """Read a machine's definition."""
        return self._both(tenant, workflow, version)[1]

    def mark(
        self, tenant: str, workflow: str, version: str, status: VersionStatus, detail: str | None
    ) -> None:
        """Write a version's status."""
        with self._lock:
            name = (tenant, workflow, version)
            if name not in self._versions:
                raise StoreConflict(f"there is no version {version} of {workflow!r} to mark.")
            said = {"status": status, "detail": detail or ""}
            self._versions[name] = self._versions[name].model_copy(update=said)

    def remove(self, tenant: str, workflow: str, version: str) -> None:
        """Remove a version."""
        with self._lock:
            if self._versions.pop((tenant, workflow, version), None):
                self._removed.add((tenant, workflow, version))

    def list_workflows(self, tenant: str, *, limit: int, cursor: str | None) -> WorkflowPage:
        """List workflows by id; the cursor is the last id that was shown."""
        names = sorted({workflow for owner, workflow, _ in self._versions if owner == tenant})
        later = [name for name in names if name > (cursor or "")]
        newest = [self.versions(tenant, name)[0] for name in later[:limit]]
        shown = [summary(kept) for kept in newest]
        return WorkflowPage(workflows=shown, cursor=shown[-1].id if len(later) > limit else None)

    def _both(self, tenant: str, workflow: str, version: str) -> tuple[str, str]:
        found = self._large.get((tenant, workflow, version))
        if found is None:
            raise NotFound(f"there is no version {version} of workflow {workflow!r}.")
        return found
