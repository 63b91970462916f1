"""Starts what a trigger names: an agent or a workflow, each by its own rules, once an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepward.agents.find import startable_agent
from stepward.agents.inputs import check_given
from stepward.agents.requests import parse
from stepward.agents.start import Caller, StartRequest
from stepward.domain.errors import Bug, Conflict, DependencyTimeout, InvalidRequest, NotFound
from stepward.domain.runs import RunHead
from stepward.domain.task_records import WorkflowHead
from stepward.domain.triggers import KeptTrigger, Trigger
from stepward.ports.registry import Registry
from stepward.ports.workflow_registry import WorkflowRegistry
from stepward.workflow.running.starting import (
    TRY_AGAIN,
    StartWorkflowRequest,
    check_input,
    startable_workflow,
)

Started = RunHead | WorkflowHead
StartAgent = Callable[[Caller, str, Any, str | None], tuple[RunHead, bool]]
StartFlow = Callable[[Caller, str, Any, str | None], tuple[WorkflowHead, bool]]


@dataclass(frozen=True)
class Starters:
    """The use cases behind the two things that a trigger may name."""

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
            # An event comes once: a version whose machine is being made must not cost it its run.
            raise DependencyTimeout(error.detail) from error


@dataclass(frozen=True)
class Startables:
    """What is there to be named by triggers."""

    agents: Registry
    workflows: WorkflowRegistry

    def check(self, tenant: str, trigger: Trigger) -> None:
        """Refuse a trigger that names what is not there."""
        try:
            self.version(tenant, trigger)
        except NotFound as error:
            raise InvalidRequest(
                error.detail, field=self._missing(tenant, trigger, error), fix=error.fix
            ) from error

    def _missing(self, tenant: str, trigger: Trigger, error: NotFound) -> str:
        """Tell an unknown version from an unknown name."""
        if trigger.agent:
            return "version" if error.field == "version" else "agent"
        has_others = trigger.version and self.workflows.version(tenant, str(trigger.workflow))
        return "version" if has_others else "workflow"

    def version(self, tenant: str, trigger: Trigger) -> str:
        """Say which version a firing would start now."""
        if trigger.agent:
            return startable_agent(self.agents, tenant, trigger.agent, trigger.version).definition.version
        found = startable_workflow(self.workflows, tenant, str(trigger.workflow), trigger.version)
        return found.definition.version

    def would_start(self, tenant: str, trigger: Trigger, body: dict[str, Any]) -> dict[str, Any]:
        """Hold a start to all that a real one would be held to."""
        if trigger.agent:
            parse(StartRequest, body)
            agent = startable_agent(self.agents, tenant, trigger.agent, trigger.version).definition
            check_given(agent, body["input"])
            return {"agent": trigger.agent, **body, "version": agent.version}
        parse(StartWorkflowRequest, body)
        found = startable_workflow(self.workflows, tenant, str(trigger.workflow), trigger.version)
        check_input(found, body["input"])
        return {"workflow": trigger.workflow, **body, "version": found.definition.version}
