"""Plan documents and versions, and compare versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from stepward.agents.estimate import Estimated, Figures
from stepward.agents.lookup import find_agent
from stepward.domain.agents import AgentDefinition
from stepward.domain.documents import Kind
from stepward.domain.errors import CallerError, InvalidRequest
from stepward.domain.workflows import WorkflowDefinition
from stepward.ports.registry import Registry
from stepward.ports.workflow_registry import WorkflowRegistry
from stepward.workflows.compiler.compile import Compiled
from stepward.workflows.planner.costs import UNKNOWN, Costs, Money
from stepward.workflows.planner.diff import Version, WorkflowDiff, diff
from stepward.workflows.planner.plan import plan
from stepward.workflows.planner.plan_text import summary_rows, task_rows
from stepward.workflows.planner.svg import mermaid, svg
from stepward.workflows.program.limits import DEEPEST_NESTING
from stepward.workflows.program.lookup import find_workflow
from stepward.workflows.proofs.catalog import prove
from stepward.workflows.services.register import RegisterWorkflow

# Plans.


FORMS: Final = ("json", "mermaid", "svg", "asl")


@dataclass(frozen=True)
class PlanAnswer:
    """An answer in the requested form: values, or a text with its media type."""

    values: dict[str, Any] | None = None
    text: str = ""
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class PlanService:
    """The use cases behind `POST /workflows/plan` and `GET /workflows/{id}/plan` and `/diff`."""

    registry: WorkflowRegistry
    register: RegisterWorkflow
    costs: Callable[[str], Costs]
    """The costs of a tenant's registered agents and workflows."""

    def of_document(
        self, tenant: str, source: str | bytes | dict[str, Any], kind: Kind, form: str | None
    ) -> PlanAnswer:
        """Plan a document without keeping it.

        Args:
            tenant: Whose registry it refers to.
            source: YAML or JSON, or the values of a document.
            kind: How a text is written.
            form: One of `FORMS`; None is `json`.

        Returns:
            The plan in that form.

        Raises:
            InvalidRequest: The form is unknown.
            Refused: The document has problems; all of them are in the error.
        """
        check_form(form)
        definition, compiled = self.register.compiled(tenant, source, kind)
        return plan_answer(Version(definition, compiled), self.costs(tenant), form)

    def of_version(self, tenant: str, workflow: str, version: str | None, form: str | None) -> PlanAnswer:
        """Plan a registered version.

        Args:
            tenant: Whose workflow it is.
            workflow: The workflow's id.
            version: A version; None for the newest.
            form: One of `FORMS`; None is `json`.

        Returns:
            The plan in that form.

        Raises:
            InvalidRequest: The form, the id or the version is malformed.
            NotFound: There is no such workflow or version.
        """
        check_form(form)
        return plan_answer(kept_version(self.registry, tenant, workflow, version), self.costs(tenant), form)

    def between(self, tenant: str, workflow: str, before: str | None, after: str | None) -> WorkflowDiff:
        """Compare two registered versions.

        Args:
            tenant: Whose workflow it is.
            workflow: The workflow's id.
            before: The version to compare with.
            after: The other version; None for the newest.

        Returns:
            Their differences.

        Raises:
            InvalidRequest: `before` is missing, or a version is malformed.
            NotFound: There is no such workflow or version.
        """
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
        """Compare the newest version with a document that is not registered.

        Args:
            tenant: Whose workflow it is.
            workflow: The workflow's id.
            source: YAML or JSON, or the values of a document.
            kind: How a text is written.

        Returns:
            Their differences.

        Raises:
            NotFound: There is no such workflow.
            Refused: The document has problems; all of them are in the error.
        """
        new = Version(*self.register.compiled(tenant, source, kind))
        return diff(kept_version(self.registry, tenant, workflow, None), new, self.costs(tenant))


def plan_answer(version: Version, costs: Costs, form: str | None) -> PlanAnswer:
    """Plan, draw or compile one version.

    Args:
        version: The definition and its compiled machine.
        costs: Estimates agents and other workflows.
        form: One of `FORMS`; None is `json`.

    Returns:
        The answer in that form.
    """
    definition, compiled = version.definition, version.compiled
    if form == "asl":
        return PlanAnswer(text=compiled.text(indent=2), media_type="application/json")
    made = plan(definition, compiled, costs)
    if form == "mermaid":
        return PlanAnswer(text=mermaid(definition, made))
    if form == "svg":
        return PlanAnswer(text=svg(definition, made), media_type="image/svg+xml")
    proofs = [proof.model_dump(mode="json") for proof in prove(definition, compiled)]
    table = {"summary": summary_rows(made), "tasks": task_rows(made)}
    return PlanAnswer(values={"plan": made.model_dump(mode="json"), "proofs": proofs, "table": table})


def check_form(form: str | None) -> None:
    """Refuse an unknown form."""
    if form not in (None, *FORMS):
        raise InvalidRequest(f"there is no form {form!r}.", field="as", fix=f"use one of {', '.join(FORMS)}")


def kept_version(registry: WorkflowRegistry, tenant: str, workflow: str, version: str | None) -> Version:
    """Read a version with the machine to which it was compiled at registration."""
    definition: WorkflowDefinition = find_workflow(registry, tenant, workflow, version).definition
    program = registry.program(tenant, workflow, definition.version)
    machine = json.loads(registry.machine_text(tenant, workflow, definition.version))
    return Version(definition, Compiled(program, machine))


# Costs of what is registered.


Read = Callable[[str, str | None], Version]
EstimateAgent = Callable[[str, AgentDefinition, object], Estimated]


@dataclass(frozen=True)
class RegisteredCosts:
    """The costs of one tenant's agents and workflows, each estimated once.

    `above` are the workflows that contain the one that is asked for.
    """

    tenant: str
    agents: Registry
    estimate: EstimateAgent
    read: Read
    above: tuple[str, ...] = ()
    _agents: dict[tuple[str, str | None], Estimated | None] = field(default_factory=dict)
    _workflows: dict[tuple[str, str | None], Money] = field(default_factory=dict)

    def of_agent(self, agent: str, version: str | None, limit_usd_micros: int | None) -> Money:
        """Return an agent's estimate on an empty input, within its own limit and the task's."""
        key = (agent, version)
        if key not in self._agents:
            self._agents[key] = self._estimated(agent, version)
        found = self._agents[key]
        if found is None:
            return UNKNOWN.model_copy(update={"most_usd_micros": limit_usd_micros})
        limits = [one for one in (limit_usd_micros, found.cost_limit_usd_micros) if one is not None]
        most = min(found.most.model_usd_micros, *limits) + found.most.aws_usd_micros
        return Money(
            least_usd_micros=min(_both(found.least), most),
            expected_usd_micros=min(_both(found.expected), most) if found.expected else None,
            most_usd_micros=most,
        )

    def of_workflow(self, workflow: str, version: str | None) -> Money:
        """Return the other workflow's plan; in a cycle it costs nothing, since its run is refused."""
        if workflow in self.above or len(self.above) >= DEEPEST_NESTING:
            return Money()
        key = (workflow, version)
        if key not in self._workflows:
            self._workflows[key] = self._planned(workflow, version)
        return self._workflows[key]

    def _estimated(self, agent: str, version: str | None) -> Estimated | None:
        try:
            found = find_agent(self.agents, self.tenant, agent, version)
            return self.estimate(self.tenant, found.definition, {})
        except CallerError:
            return None

    def _planned(self, workflow: str, version: str | None) -> Money:
        try:
            found = self.read(workflow, version)
        except CallerError:
            return UNKNOWN
        inner = replace(self, above=(*self.above, workflow), _workflows={})
        return plan(found.definition, found.compiled, inner).cost


def _both(figures: Figures) -> int:
    return figures.model_usd_micros + figures.aws_usd_micros
