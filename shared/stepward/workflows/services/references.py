"""Check the agents, workflows and tools that a document names against the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError

from stepward.agents.agent_tools import instead_of, settings_of_own
from stepward.agents.run_inputs import input_faults
from stepward.domain.agents import AgentDefinition
from stepward.domain.documents.problems import MOST_PROBLEMS, Problem
from stepward.domain.errors import InvalidRequest
from stepward.domain.tools import ToolFolder
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.ports.registry import AgentRef, Registry
from stepward.ports.workflow_registry import WorkflowRegistry
from stepward.tasks.agent import given_of
from stepward.tasks.catalog import CATALOG, type_of
from stepward.tasks.facts import Starts
from stepward.tools.base import BoundTool
from stepward.tools.own_function import Snapshot
from stepward.workflows.checks.context import CheckContext, TaskNode
from stepward.workflows.checks.expressions import texts_in
from stepward.workflows.program.tasks import walk

# References.


UNKNOWN_TOOL: Final = "unknown-tool"
"""The problem of a task whose effect is unknown, so that it cannot be checked further."""
_AT_ONCE: Final = 50


@dataclass(frozen=True)
class RegisteredNames:
    """Checks the names in a tenant's document against the registries.

    Settings that do not fit their type are reported by the checks.
    """

    tenant: str
    workflows: WorkflowRegistry
    agents: Registry
    own: CustomTools
    http_allow: Sequence[str]

    def problems(self, context: CheckContext) -> list[Problem]:
        """Find unknown and disallowed agents, workflows and tools, in a faulty document too."""
        finds = (self._agents, self._workflows, self._own_tools, self._not_allowed)
        return [problem for find in finds for problem in islice(find(context), MOST_PROBLEMS + 1)]

    def _agents(self, context: CheckContext) -> Iterator[Problem]:
        named: dict[AgentRef, list[TaskNode]] = {}
        for node in context.all():
            if (child := node.child) and node.kind and node.kind.starts is Starts.AGENT:
                wanted = AgentRef(child.of, child.version)
                named.setdefault(wanted, []).append(node)
        wanted_ones = list(named)
        for at in range(0, len(wanted_ones), _AT_ONCE):
            few = wanted_ones[at : at + _AT_ONCE]
            for wanted, found in zip(few, self.agents.read_agents(self.tenant, few), strict=True):
                for node in named[wanted]:
                    if found.version is None:
                        yield _unknown(context, node, "agent", wanted.agent)
                    else:
                        yield from _unfit(context, node, found.version.definition)

    def _workflows(self, context: CheckContext) -> Iterator[Problem]:
        is_there = cache(
            lambda workflow, version: self.workflows.version(self.tenant, workflow, version) is not None
        )
        for node in context.all():
            named = node.child
            if named is None or node.kind is None or node.kind.starts is not Starts.WORKFLOW:
                continue
            if named.of == context.definition.id:
                detail = f"{node.path!r} runs the workflow that it is in"
                yield context.problem(node, "workflow", "runs-itself", detail, "use a loop, with a bound")
            elif not is_there(named.of, None if named.version == "latest" else named.version):
                yield _unknown(context, node, "workflow", named.of)

    def _own_tools(self, context: CheckContext) -> Iterator[Problem]:
        """Find custom tools that no folder has published."""
        for node in context.all():
            tool = node.custom_tool
            if tool and node.is_unresolved and node.settings is not None:
                detail = f"{node.path!r} calls {tool!r}, which no folder has published"
                yield context.problem(node, "tool", UNKNOWN_TOOL, detail, self.own.instead_of(tool))

    def _not_allowed(self, context: CheckContext) -> Iterator[Problem]:
        """Find tools whose settings this stage does not allow."""
        for node in context.all():
            bound = None if node.is_unresolved else _bound(node)
            if bound is None:
                continue
            try:
                bound.tool.check_settings(bound.settings, self.http_allow)
            except InvalidRequest as error:
                field = tuple((error.field or "config").split("."))
                fix = error.fix or "ask who runs this stage"
                yield context.problem(node, field, "not-allowed", error.detail, fix)


def _unfit(context: CheckContext, node: TaskNode, agent: AgentDefinition) -> Iterator[Problem]:
    """Validate literal inputs of an agent; computed ones are checked when the task runs."""
    given = given_of(node.task.inputs)
    if not isinstance(given, dict):
        computed = [""] if _is_computed(given) else []
    else:
        computed = [name for name, value in given.items() if _is_computed(value)]
    if isinstance(given, dict) or not computed:
        whole = ("input",) if node.task.inputs.keys() == {"input"} else ()
        for fault in input_faults(agent, given, computed):
            path, _, said = fault.partition(": ")
            place = ("with", *whole, *path.split(".")[1:2])
            detail = f"the agent {agent.id!r} does not take this input: {path}: {said}"
            yield context.problem(
                node, place, "wrong-input", detail, f"GET /agents/{agent.id} shows its `input_schema`"
            )


def _is_computed(value: Any) -> bool:
    return any("{%" in text for _, text in texts_in((), value))


def _bound(node: TaskNode) -> BoundTool | None:
    """Return the tool that a task calls; None if there is none, or an invalid one."""
    try:
        return node.kind.tool(node.settings) if node.kind and node.settings is not None else None
    except (InvalidRequest, ValidationError):
        return None


def _unknown(context: CheckContext, node: TaskNode, what: str, name: str) -> Problem:
    detail = f"{node.path!r} names the {what} {name!r}, which is not there"
    fix = f"register it first; GET /{what}s lists those that are"
    return context.problem(node, what, f"unknown-{what}", detail, fix)


# Custom tools: what folders have published, filled into a version.


Published = Callable[[str], ToolFolder | None]
Configs = dict[str, tuple[str, dict[str, Any]]]
"""By a task's path: the custom tool that it calls, and the configuration of the call."""


@dataclass(frozen=True)
class CustomTools:
    """Fills in the configuration of each custom tool, as it is in the registered version.

    So the same document is the same version after any number of deployments. Each folder is read once.
    """

    published: Published
    kept: Callable[[WorkflowDefinition], WorkflowDefinition | None]
    folder_of: Published = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder_of", cache(self.published))

    def filled(self, definition: WorkflowDefinition) -> WorkflowDefinition:
        """Return the definition with the configuration of its custom tools that are published."""
        if not any(_own_tool(task) for _, task in walk(definition.tasks)):
            return definition
        before = self.kept(definition)
        known = configs_of(before) if before else {}
        tasks = tuple(self._task(task, task.id, known) for task in definition.tasks)
        return definition.model_copy(update={"tasks": tasks})

    def instead_of(self, tool: str) -> str:
        """Suggest a published function for an unknown one."""
        return instead_of(tool, self.folder_of)

    def _task(self, task: TaskDefinition, path: str, known: Configs) -> TaskDefinition:
        undo = task.compensate and self._task(task.compensate, f"{path}.compensate", known)
        inner = tuple(self._task(one, f"{path}.{one.id}", known) for one in task.tasks)
        return task.model_copy(
            update={"compensate": undo, "tasks": inner, "settings": self._settings(task, path, known)}
        )

    def _settings(self, task: TaskDefinition, path: str, known: Configs) -> dict[str, Any]:
        tool, said = _own_tool(task), task.settings.get("config") or {}
        if tool is None or not isinstance(said, dict) or not said.keys() <= Snapshot.model_fields.keys():
            return task.settings
        before, config = known.get(path, (None, {}))
        if before != tool:
            config = settings_of_own(tool, self.folder_of) or {}
        return {**task.settings, "config": config}


def configs_of(definition: WorkflowDefinition) -> Configs:
    """Return the configurations of a version's custom tools."""
    return {
        path: (tool, task.settings.get("config", {}))
        for path, task in walk(definition.tasks)
        if (tool := _own_tool(task))
    }


def _own_tool(task: TaskDefinition) -> str | None:
    return type_of(task).custom_tool(task) if task.type in CATALOG else None
