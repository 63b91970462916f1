"""Make the services of workflows' versions: those that register, plan, publish, show and remove them."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from stepward.agents.estimate import Estimated
    from stepward.domain.agents import AgentDefinition
    from stepward.domain.programs import Program
    from stepward.ports.workflow_registry import RegisteredWorkflow
    from stepward.runtime.container import Container
    from stepward.workflows.planner.diff import Version
    from stepward.workflows.services.plan_service import PlanService, RegisteredCosts
    from stepward.workflows.services.publish import PublishWorkflow, RemoveVersion
    from stepward.workflows.services.register import RegisterWorkflow
    from stepward.workflows.services.views import ShowWorkflows

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches

_MOST_PROGRAMS = 64


class WorkflowServices:
    """Services of workflows, each made when it is first used."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ports = container.ports

    @cached_property
    def program(self) -> Callable[[str, str, str], Program]:
        """Reads one version's program by tenant, workflow and version, once a process.

        Versions never change.
        """
        return lru_cache(_MOST_PROGRAMS)(self._read_program)

    def _read_program(self, tenant: str, workflow: str, version: str) -> Program:
        return self._ports.workflow_registry.program(tenant, workflow, version)

    @cached_property
    def register(self) -> RegisterWorkflow:
        """Checks, compiles and keeps versions."""
        from stepward.workflows.services.register import RegisterWorkflow

        return RegisterWorkflow(
            self._ports.workflow_registry,
            self._ports.registry,
            self._ports.clock,
            self._ports.publish_requests.publish,
            self._container.settings.http_allow,
            self._ports.published_tools.folder,
            self._ports.workflow_machines.is_made,
        )

    @cached_property
    def plan(self) -> PlanService:
        """Plans workflows and compares versions."""
        from stepward.workflows.services.plan_service import PlanService

        return PlanService(self._ports.workflow_registry, self.register, self._costs)

    def _costs(self, tenant: str) -> RegisteredCosts:
        from stepward.domain.runs import AnswerChoice
        from stepward.runtime.builders.deferred_prompts import DeferredPrompts
        from stepward.workflows.services.plan_service import RegisteredCosts, kept_version

        def read(workflow: str, version: str | None) -> Version:
            return kept_version(self._ports.workflow_registry, tenant, workflow, version)

        def estimate(tenant: str, agent: AgentDefinition, given: object) -> Estimated:
            answers = self._container.agents.stage_answers.choose(agent, AnswerChoice())
            told = agent.with_prompt(DeferredPrompts(self._container)(tenant, agent, given, None))
            return self._container.costs.estimate(tenant, told, given, answers)

        return RegisteredCosts(tenant, self._ports.registry, estimate, read)

    @cached_property
    def show(self) -> ShowWorkflows:
        """Shows workflows and their runs."""
        from stepward.workflows.services.views import ShowWorkflows

        return ShowWorkflows(self._ports.workflow_registry, self._container.workflow_runs.ports)

    def version_view(self, found: RegisteredWorkflow) -> dict[str, Any]:
        """Return a version as the API shows it.

        Args:
            found: The version.
        """
        from stepward.workflows.services.views import version_view

        return version_view(found)

    def document_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of workflow documents, for editors."""
        from stepward.workflows.documents.document_schema import json_schema

        return json_schema()

    @cached_property
    def remove(self) -> RemoveVersion:
        """Removes versions."""
        from stepward.workflows.services.publish import RemoveVersion

        discard = self._ports.publish_requests.discard
        return RemoveVersion(self._ports.workflow_registry, self._ports.workflow_runs, discard)

    @cached_property
    def publish(self) -> PublishWorkflow:
        """Makes the state machines of versions."""
        from stepward.workflows.services.publish import PublishWorkflow

        settings = self._container.settings
        arn, journal = settings.need("task_run_arn"), settings.need("journal_name")
        values = {"TaskRun": arn.rpartition(":")[2], "TaskRunArn": arn, "JournalTable": journal}
        return PublishWorkflow(self._ports.workflow_registry, self._ports.state_machine_admin, values)
