"""Takes what folders have published into a workflow's version, so that its arguments and effects are known before it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from stepward.agents.own_tools import instead_of, settings_of_own
from stepward.domain.published_tools import ToolRoom
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.tools.own_function import Snapshot
from stepward.workflow.walking import walk

Published = Callable[[str], ToolRoom | None]
Configs = dict[str, tuple[str, dict[str, Any]]]
"""By a task's path: the tool that it calls, and the configuration that it does so with."""


@dataclass(frozen=True)
class OwnTools:
    """Fills in the settings of each `folder.function`: as they stand in the version if it is registered already.

    So the same document is the same version after any number of deployments. One look at the shelf a folder.
    """

    published: Published
    kept: Callable[[WorkflowDefinition], WorkflowDefinition | None]
    room: Published = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "room", cache(self.published))

    def filled(self, definition: WorkflowDefinition) -> WorkflowDefinition:
        """Give the definition with the settings of own tools; of one that is not published it has none."""
        if not any(_own_tool(task) for _, task in walk(definition.tasks)):
            return definition
        before = self.kept(definition)
        known = configs_of(before) if before else {}
        tasks = tuple(self._task(task, task.id, known) for task in definition.tasks)
        return definition.model_copy(update={"tasks": tasks})

    def instead_of(self, tool: str) -> str:
        """Say what a function that no folder offers was meant to be."""
        return instead_of(tool, self.room)

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
            config = settings_of_own(tool, self.room) or {}
        return {**task.settings, "config": config}


def configs_of(definition: WorkflowDefinition) -> Configs:
    """Read how a version calls its own tools."""
    return {
        path: (tool, task.settings.get("config", {}))
        for path, task in walk(definition.tasks)
        if (tool := _own_tool(task))
    }


def _own_tool(task: TaskDefinition) -> str | None:
    tool = task.settings.get("tool") if task.type == "tool" else None
    return tool if isinstance(tool, str) and "." in tool else None
