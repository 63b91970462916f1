"""Start what a trigger names, an agent or a workflow, once per event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stepward.agents.answering import StageAnswers
from stepward.agents.lookup import startable_agent
from stepward.agents.requests import parse
from stepward.agents.run_inputs import check_given
from stepward.agents.start import StartRequest
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import Bug, Conflict, DependencyTimeout, InvalidRequest, NotFound
from stepward.domain.run_origins import Caller
from stepward.domain.runs import AnswerChoice, RunHead
from stepward.domain.task_records import WorkflowHead
from stepward.domain.triggers import KeptTrigger, Trigger
from stepward.models.catalog import check_backend
from stepward.ports.registry import Registry
from stepward.ports.workflow_registry import RegisteredWorkflow, WorkflowRegistry
from stepward.workflows.runs.start_checks import TRY_AGAIN, ChooseAnswers, check_input, startable_workflow
from stepward.workflows.runs.start_run import StartWorkflowRequest

Started = RunHead | WorkflowHead
StartAgent = Callable[[Caller, str, Any, str | None], tuple[RunHead, bool]]
StartFlow = Callable[[Caller, str, Any, str | None], tuple[WorkflowHead, bool]]


@dataclass(frozen=True)
class Starters:
    """The services that start the two things a trigger may name."""

    agent: StartAgent
    workflow: StartFlow

    def __call__(self, kept: KeptTrigger, body: Any, key: str) -> tuple[Started, bool]:
        """Start it, or find the run that the same key started."""
        caller, trigger = Caller(tenant=kept.tenant, principal=kept.principal), kept.trigger
        if trigger.agent:
            return self.agent(caller, trigger.agent, body, key)
        if trigger.workflow is None:
            raise Bug(f"the trigger {trigger.id} starts nothing")
        try:
            return self.workflow(caller, trigger.workflow, body, key)
        except Conflict as error:
            if error.fix != TRY_AGAIN:
                raise
            # An event comes once: it must not be lost because the version's machine is still being created.
            raise DependencyTimeout(error.detail) from error


@dataclass(frozen=True)
class Startables:
    """The agents and workflows that triggers may name; `stage` has the defaults of answers."""

    agents: Registry
    workflows: WorkflowRegistry
    stage: StageAnswers = field(default_factory=StageAnswers)

    def check(self, tenant: str, trigger: Trigger) -> None:
        """Refuse a trigger whose target does not exist, or whose runs nothing could answer."""
        try:
            self._answered(tenant, trigger, trigger)
        except NotFound as error:
            raise InvalidRequest(
                error.detail, field=self._missing(tenant, trigger, error), fix=error.fix
            ) from error

    def _missing(self, tenant: str, trigger: Trigger, error: NotFound) -> str:
        """Return the field that is wrong: the version or the name."""
        if trigger.agent:
            return "version" if error.field == "version" else "agent"
        has_others = trigger.version and self.workflows.version(tenant, str(trigger.workflow))
        return "version" if has_others else "workflow"

    def _answered(
        self, tenant: str, trigger: Trigger, said: AnswerChoice
    ) -> AgentDefinition | RegisteredWorkflow:
        """Find the version that a firing would start now, and check that its runs can be answered."""
        if trigger.agent:
            agent = startable_agent(self.agents, tenant, trigger.agent, trigger.version).definition
            check_backend(agent, rehearsed=self.stage.choose(agent, said).rehearsed)
            return agent
        found = startable_workflow(self.workflows, tenant, str(trigger.workflow), trigger.version)
        ChooseAnswers(self.agents.read_agents, self.stage)(tenant, found.definition, said)
        return found

    def would_start(self, tenant: str, trigger: Trigger, body: dict[str, Any]) -> dict[str, Any]:
        """Check a start as a real one would be checked, and return what would be started."""
        said = parse(StartRequest if trigger.agent else StartWorkflowRequest, body)
        found = self._answered(tenant, trigger, said)
        if isinstance(found, AgentDefinition):
            check_given(found, body["input"])
            return {"agent": trigger.agent, **body, "version": found.version}
        check_input(found, body["input"])
        return {"workflow": trigger.workflow, **body, "version": found.definition.version}
