"""Register a version: read, check, prove, compile and publish it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stepward.domain.documents import Kind
from stepward.domain.documents.problems import Problem, Refused
from stepward.domain.run_origins import Caller
from stepward.domain.tools import ToolFolder
from stepward.domain.workflows import WorkflowDefinition
from stepward.ports.clock import Clock, iso
from stepward.ports.registry import Registry
from stepward.ports.workflow_registry import RegisteredWorkflow, VersionStatus, WorkflowRegistry
from stepward.workflows.checks.validate import validate, with_positions
from stepward.workflows.compiler.compile import Compiled, compile_workflow
from stepward.workflows.proofs.catalog import prove, refusals
from stepward.workflows.services.references import UNKNOWN_TOOL, CustomTools, RegisteredNames

Publish = Callable[[str, str, str], None]
"""Requests a version's machine: tenant, workflow, version."""


@dataclass(frozen=True)
class RegisterWorkflow:
    """The use case behind `POST /workflows`; a document with any problem is refused whole."""

    registry: WorkflowRegistry
    agents: Registry
    clock: Clock
    publish: Publish
    http_allow: Sequence[str] = ()
    published: Callable[[str], ToolFolder | None] = lambda _: None
    """Returns what a folder of custom tools offers."""
    is_made: Callable[[str], bool] = lambda _: True
    """Returns whether the machine of a registered version still exists."""

    def __call__(
        self, caller: Caller, source: str | bytes | dict[str, Any], kind: Kind
    ) -> tuple[RegisteredWorkflow, bool]:
        """Register a version and have it published.

        Args:
            caller: Who registers it.
            source: YAML or JSON, or the values of a document.
            kind: How a text is written.

        Returns:
            The registered version, and whether it is new.

        Raises:
            Refused: The document has problems; all of them are in the error.
            Conflict: The version exists with another content.
        """
        definition, compiled = self.compiled(caller.tenant, source, kind)
        before = self.registry.version(caller.tenant, definition.id, definition.version)
        fresh = RegisteredWorkflow(
            definition=definition,
            created_at=iso(self.clock.now()),
            created_by=caller.principal,
            machine=compiled.program.machine,
            states=states_of(compiled.machine),
        )
        kept = self.registry.keep(caller.tenant, fresh, compiled.program, compiled.text())
        if kept.status is VersionStatus.READY and not self.is_made(kept.machine):
            kept = kept.model_copy(update={"status": VersionStatus.PUBLISHING, "detail": None})
            self.registry.mark(caller.tenant, definition.id, definition.version, kept.status, None)
        if kept.status in (VersionStatus.PUBLISHING, VersionStatus.ARCHIVED):
            self.publish(caller.tenant, definition.id, definition.version)
        return kept, before is None

    def compiled(
        self, tenant: str, source: str | bytes | dict[str, Any], kind: Kind
    ) -> tuple[WorkflowDefinition, Compiled]:
        """Read, check and compile a document without keeping it.

        Args:
            tenant: Whose registry it refers to.
            source: YAML or JSON, or the values of a document.
            kind: How a text is written.

        Returns:
            The definition, and the compiled machine.

        Raises:
            Refused: The document has problems; all of them are in the error.
        """
        own = CustomTools(self.published, lambda read: self._kept(tenant, read))
        read = validate(source, kind, own.filled)
        if read.context is None:
            raise Refused(read.problems)
        names = RegisteredNames(tenant, self.registry, self.agents, own, self.http_allow)
        unknown = names.problems(read.context)
        if read.problems or any(one.code == UNKNOWN_TOOL for one in unknown):
            raise Refused([*read.problems, *unknown])
        definition = read.context.definition
        compiled = compile_workflow(definition, tenant)
        if problems := [
            *unknown,
            *with_positions(read.context.document, beyond_checks(definition, compiled)),
        ]:
            raise Refused(problems)
        return definition, compiled

    def _kept(self, tenant: str, read: WorkflowDefinition) -> WorkflowDefinition | None:
        before = self.registry.version(tenant, read.id, read.version)
        return before.definition if before else None


def beyond_checks(definition: WorkflowDefinition, compiled: Compiled) -> list[Problem]:
    """Return the problems of the compiled machine: its size, and failed required proofs."""
    if fault := compiled.fault:
        return [Problem(code="too-large", detail=fault.detail, fix=fault.fix, field="tasks")]
    return refusals(prove(definition, compiled))


def states_of(machine: dict[str, Any]) -> int:
    """Count the states of a machine, with those of branches and bodies."""
    count, pending = 0, [machine]
    while pending:
        one = pending.pop()
        for state in one["States"].values():
            count += 1
            pending += state.get("Branches", [])
            pending += [state["ItemProcessor"]] if "ItemProcessor" in state else []
    return count
