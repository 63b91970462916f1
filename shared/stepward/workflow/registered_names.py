"""Holds what a document names against what is there: every run would fail at an agent that nobody has registered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError

from stepward.agents.inputs import input_faults
from stepward.domain.agents import AgentDefinition
from stepward.domain.documents.problems import MOST_PROBLEMS, Problem
from stepward.domain.errors import InvalidRequest
from stepward.ports.registry import Registry, Wanted
from stepward.ports.workflow_registry import WorkflowRegistry
from stepward.tasks.agent import AgentSettings, given_of
from stepward.tasks.subworkflow import SubworkflowSettings
from stepward.tasks.tool import ToolSettings
from stepward.tasks.webhook import WebhookSettings
from stepward.tools.base import BoundTool
from stepward.workflow.checks.scene import Scene, Spot
from stepward.workflow.checks.sites import texts_in
from stepward.workflow.own_tools import OwnTools

UNKNOWN_TOOL: Final = "unknown-tool"
"""Of such a task not even the effect is known, so that nothing can be made of it."""
_AT_ONCE: Final = 50


@dataclass(frozen=True)
class RegisteredNames:
    """Asks the registries for what a tenant's document names; what does not fit its type is told by the checks."""

    tenant: str
    workflows: WorkflowRegistry
    agents: Registry
    own: OwnTools
    http_allow: Sequence[str]

    def problems(self, scene: Scene) -> list[Problem]:
        """Find the agents, workflows and tools that are not there or not allowed, of a faulty document too."""
        finds = (self._agents, self._workflows, self._own_tools, self._not_allowed)
        return [problem for find in finds for problem in islice(find(scene), MOST_PROBLEMS + 1)]

    def _agents(self, scene: Scene) -> Iterator[Problem]:
        named: dict[Wanted, list[Spot]] = {}
        for spot in scene.all():
            if isinstance(spot.settings, AgentSettings):
                wanted = Wanted(spot.settings.agent, spot.settings.version)
                named.setdefault(wanted, []).append(spot)
        wanted_ones = list(named)
        for at in range(0, len(wanted_ones), _AT_ONCE):
            few = wanted_ones[at : at + _AT_ONCE]
            for wanted, found in zip(few, self.agents.look(self.tenant, few), strict=True):
                for spot in named[wanted]:
                    if found.version is None:
                        yield _unknown(scene, spot, "agent", wanted.agent)
                    else:
                        yield from _unfit(scene, spot, found.version.definition)

    def _workflows(self, scene: Scene) -> Iterator[Problem]:
        is_there = cache(
            lambda workflow, version: self.workflows.version(self.tenant, workflow, version) is not None
        )
        for spot in scene.all():
            named = spot.settings
            if not isinstance(named, SubworkflowSettings):
                continue
            if named.workflow == scene.definition.id:
                detail = f"{spot.path!r} runs the workflow that it is in"
                yield scene.problem(spot, "workflow", "runs-itself", detail, "use a loop, with a bound")
            elif not is_there(named.workflow, None if named.version == "latest" else named.version):
                yield _unknown(scene, spot, "workflow", named.workflow)

    def _own_tools(self, scene: Scene) -> Iterator[Problem]:
        """Find the functions that no folder offers."""
        for spot in scene.all():
            if spot.is_unresolved and isinstance(spot.settings, ToolSettings):
                tool = spot.settings.tool
                detail = f"{spot.path!r} calls {tool!r}, which no folder has published"
                yield scene.problem(spot, "tool", UNKNOWN_TOOL, detail, self.own.instead_of(tool))

    def _not_allowed(self, scene: Scene) -> Iterator[Problem]:
        """Find tools that this stage does not allow, as they are set."""
        for spot in scene.all():
            bound = None if spot.is_unresolved else _bound(spot)
            if bound is None:
                continue
            try:
                bound.tool.check_settings(bound.settings, self.http_allow)
            except InvalidRequest as error:
                field = tuple((error.field or "config").split("."))
                fix = error.fix or "ask who runs this stage"
                yield scene.problem(spot, field, "not-allowed", error.detail, fix)


def _unfit(scene: Scene, spot: Spot, agent: AgentDefinition) -> Iterator[Problem]:
    """Hold what is written out to what the agent wants; what is computed is checked when the task runs."""
    given = given_of(spot.task.inputs)
    if not isinstance(given, dict):
        computed = [""] if _is_computed(given) else []
    else:
        computed = [name for name, value in given.items() if _is_computed(value)]
    if isinstance(given, dict) or not computed:
        whole = ("input",) if spot.task.inputs.keys() == {"input"} else ()
        for fault in input_faults(agent, given, computed):
            path, _, said = fault.partition(": ")
            place = ("with", *whole, *path.split(".")[1:2])
            detail = f"the agent {agent.id!r} does not take this input: {path}: {said}"
            yield scene.problem(
                spot, place, "wrong-input", detail, f"GET /agents/{agent.id} shows its `input_schema`"
            )


def _is_computed(value: Any) -> bool:
    return any("{%" in text for _, text in texts_in((), value))


def _bound(spot: Spot) -> BoundTool | None:
    """The tool that a task calls; None if it calls none, or one whose fault is told elsewhere."""
    settings = spot.settings
    if isinstance(settings, WebhookSettings):
        settings = settings.as_tool() if settings.url else None
    try:
        return settings.bound() if isinstance(settings, ToolSettings) else None
    except (InvalidRequest, ValidationError):
        return None


def _unknown(scene: Scene, spot: Spot, what: str, name: str) -> Problem:
    detail = f"{spot.path!r} names the {what} {name!r}, which is not there"
    fix = f"register it first; GET /{what}s lists those that are"
    return scene.problem(spot, what, f"unknown-{what}", detail, fix)
