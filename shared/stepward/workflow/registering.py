"""Keeps a version of a workflow: read, checked, proved, compiled, and handed on to be published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from stepward.agents.start import Caller
from stepward.domain.errors import InvalidRequest
from stepward.domain.published_tools import ToolRoom
from stepward.domain.workflows import WorkflowDefinition
from stepward.ports.clock import Clock, iso
from stepward.ports.registry import Registry, Wanted
from stepward.ports.workflow_registry import RegisteredWorkflow, VersionStatus, WorkflowRegistry
from stepward.tasks.agent import AgentSettings
from stepward.tasks.catalog import settings_of
from stepward.tasks.subworkflow import SubworkflowSettings
from stepward.tasks.tool import ToolSettings
from stepward.tasks.webhook import WebhookSettings
from stepward.workflow.checks.examine import definition_from
from stepward.workflow.checks.locating import located
from stepward.workflow.compiling.program import Compiled, compile_workflow
from stepward.workflow.documents.read import Kind
from stepward.workflow.own_tools import OwnTools
from stepward.workflow.problems import Problem, Refused
from stepward.workflow.proofs.catalog import prove, refusals
from stepward.workflow.walking import walk

Publish = Callable[[str, str, str], None]
"""Asks for a version's machine to be made: tenant, workflow, version."""
_AT_ONCE = 50


@dataclass(frozen=True)
class RegisterWorkflow:
    """The use case behind `POST /workflows`; a document with any problem is refused whole."""

    registry: WorkflowRegistry
    agents: Registry
    clock: Clock
    publish: Publish
    http_allow: Sequence[str] = ()
    published: Callable[[str], ToolRoom | None] = lambda _: None
    """What a folder of somebody's own functions offers."""

    def __call__(
        self, caller: Caller, source: str | bytes | dict[str, Any], kind: Kind
    ) -> tuple[RegisteredWorkflow, bool]:
        """Keep a version and have it published; the flag tells that it is new."""
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
        if kept.status in (VersionStatus.PUBLISHING, VersionStatus.ARCHIVED):
            self.publish(caller.tenant, definition.id, definition.version)
        return kept, before is None

    def compiled(
        self, tenant: str, source: str | bytes | dict[str, Any], kind: Kind
    ) -> tuple[WorkflowDefinition, Compiled]:
        """Read, check and compile a document without keeping it; raises `Refused` with all that is wrong."""
        own = OwnTools(self.published, lambda read: self._kept(tenant, read))
        definition = definition_from(source, kind, own.filled)
        problems = [*self._unknown(tenant, definition), *own.unpublished(definition)]
        problems += self._not_allowed(definition, {one.task for one in problems})
        if problems:
            raise Refused(located(source, kind, problems))
        compiled = compile_workflow(definition, tenant)
        if fault := compiled.fault:
            too_large = Problem(code="too-large", detail=fault.detail, fix=fault.fix, field="tasks")
            raise Refused(located(source, kind, [too_large]))
        if not_proved := refusals(prove(definition, compiled)):
            raise Refused(located(source, kind, not_proved))
        return definition, compiled

    def _kept(self, tenant: str, read: WorkflowDefinition) -> WorkflowDefinition | None:
        before = self.registry.version(tenant, read.id, read.version)
        return before.definition if before else None

    def _unknown(self, tenant: str, definition: WorkflowDefinition) -> Iterator[Problem]:
        """Find agents and workflows that are not there: every run of the version would fail at them."""
        agents: list[tuple[str, Wanted]] = []
        for path, task in walk(definition.tasks):
            match settings_of(task) if task.type in ("agent", "subworkflow") else None:
                case AgentSettings() as agent:
                    agents.append((path, Wanted(agent.agent, agent.version)))
                case SubworkflowSettings() as other if other.workflow != definition.id:
                    version = None if other.version == "latest" else other.version
                    if self.registry.version(tenant, other.workflow, version) is None:
                        yield _unknown(path, "workflow", other.workflow)
                case SubworkflowSettings() as other:
                    yield Problem(
                        code="runs-itself",
                        detail=f"{path!r} runs the workflow that it is in",
                        fix="use a loop, with a bound",
                        task=path,
                        field="workflow",
                    )
        for at in range(0, len(agents), _AT_ONCE):
            few = agents[at : at + _AT_ONCE]
            seen = self.agents.look(tenant, [wanted for _, wanted in few])
            for (path, wanted), found in zip(few, seen, strict=True):
                if found.version is None:
                    yield _unknown(path, "agent", wanted.agent)

    def _not_allowed(
        self, definition: WorkflowDefinition, told: AbstractSet[str | None]
    ) -> Iterator[Problem]:
        """Find tools that this stage does not allow, among the tasks of which nothing was told yet."""
        for path, task in walk(definition.tasks):
            settings = settings_of(task) if task.type in ("tool", "webhook") else None
            if isinstance(settings, WebhookSettings):
                settings = settings.as_tool() if settings.url else None
            if not isinstance(settings, ToolSettings) or path in told:
                continue
            bound = settings.bound()
            try:
                bound.tool.check_settings(bound.settings, self.http_allow)
            except InvalidRequest as error:
                fix = error.fix or "ask who runs this stage"
                yield Problem(
                    code="not-allowed", detail=error.detail, fix=fix, task=path, field=error.field or "config"
                )


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


def _unknown(path: str, what: str, name: str) -> Problem:
    return Problem(
        code=f"unknown-{what}",
        detail=f"{path!r} names the {what} {name!r}, which is not there",
        fix=f"register it first; GET /{what}s lists those that are",
        task=path,
        field=what,
    )
