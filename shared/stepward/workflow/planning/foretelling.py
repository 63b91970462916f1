"""Answers what a workflow will do: of a document that nobody has kept yet, of a version, of the step between two."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.documents import Kind
from stepward.domain.errors import InvalidRequest
from stepward.domain.workflows import WorkflowDefinition
from stepward.ports.workflow_registry import WorkflowRegistry
from stepward.workflow.compiling.program import Compiled
from stepward.workflow.finding import find_workflow
from stepward.workflow.planning.costs import Costs
from stepward.workflow.planning.diff import Version, WorkflowDiff, diff
from stepward.workflow.planning.pictures import mermaid, svg
from stepward.workflow.planning.plan import plan
from stepward.workflow.planning.table import summary_rows, task_rows
from stepward.workflow.proofs.catalog import prove
from stepward.workflow.registering import RegisterWorkflow

FORMS: Final = ("json", "mermaid", "svg", "asl")


@dataclass(frozen=True)
class Foretold:
    """An answer in the form that was asked for: values, or a text with its media type."""

    values: dict[str, Any] | None = None
    text: str = ""
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Foretell:
    """The use cases behind `POST /workflows/plan`, `GET /workflows/{id}/plan` and `GET /workflows/{id}/diff`."""

    registry: WorkflowRegistry
    register: RegisterWorkflow
    costs: Callable[[str], Costs]
    """By tenant."""

    def of_document(
        self, tenant: str, source: str | bytes | dict[str, Any], kind: Kind, form: str | None
    ) -> Foretold:
        """Plan a document without keeping it; raises `Refused` with all that is wrong with it."""
        check_form(form)
        definition, compiled = self.register.compiled(tenant, source, kind)
        return foretold(Version(definition, compiled), self.costs(tenant), form)

    def of_version(self, tenant: str, workflow: str, version: str | None, form: str | None) -> Foretold:
        """Plan a version, the newest by default."""
        check_form(form)
        return foretold(kept_version(self.registry, tenant, workflow, version), self.costs(tenant), form)

    def between(self, tenant: str, workflow: str, before: str | None, after: str | None) -> WorkflowDiff:
        """Compare a version with another, the newest by default."""
        if not before:
            raise InvalidRequest(
                "the version to compare with is missing.",
                field="from",
                fix="say `?from=1.0.0`, and `&to=` for the other",
            )
        old = kept_version(self.registry, tenant, workflow, before)
        new = kept_version(self.registry, tenant, workflow, after)
        return diff(old, new, self.costs(tenant))

    def with_document(
        self, tenant: str, workflow: str, source: str | bytes | dict[str, Any], kind: Kind
    ) -> WorkflowDiff:
        """Compare the newest version with a document that is not kept yet."""
        new = Version(*self.register.compiled(tenant, source, kind))
        return diff(kept_version(self.registry, tenant, workflow, None), new, self.costs(tenant))


def foretold(version: Version, costs: Costs, form: str | None) -> Foretold:
    """Plan, draw or compile one version.

    Args:
        version: The definition and what it compiles to.
        costs: Knows what agents and other workflows cost.
        form: One of `FORMS`; None is `json`.

    Returns:
        The answer in that form.
    """
    definition, compiled = version.definition, version.compiled
    if form == "asl":
        return Foretold(text=compiled.text(indent=2), media_type="application/json")
    made = plan(definition, compiled, costs)
    if form == "mermaid":
        return Foretold(text=mermaid(definition, made))
    if form == "svg":
        return Foretold(text=svg(definition, made), media_type="image/svg+xml")
    proofs = [proof.model_dump(mode="json") for proof in prove(definition, compiled)]
    table = {"summary": summary_rows(made), "tasks": task_rows(made)}
    return Foretold(values={"plan": made.model_dump(mode="json"), "proofs": proofs, "table": table})


def check_form(form: str | None) -> None:
    """Refuse a form that nobody draws."""
    if form not in (None, *FORMS):
        raise InvalidRequest(f"there is no form {form!r}.", field="as", fix=f"use one of {', '.join(FORMS)}")


def kept_version(registry: WorkflowRegistry, tenant: str, workflow: str, version: str | None) -> Version:
    """Read a version with what it was compiled to when it was registered."""
    definition: WorkflowDefinition = find_workflow(registry, tenant, workflow, version).definition
    program = registry.program(tenant, workflow, definition.version)
    machine = json.loads(registry.machine_text(tenant, workflow, definition.version))
    return Version(definition, Compiled(program, machine))
