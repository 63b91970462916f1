"""The symbol table of the checks: each task with its path, type and siblings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.tree import Document, Path
from stepward.domain.errors import InvalidRequest
from stepward.domain.json_schemas import fault_of_schema
from stepward.domain.tools import Effect
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.tasks.base import TaskType
from stepward.tasks.catalog import CATALOG, find_type
from stepward.tasks.context import ChildRun
from stepward.workflows.documents.diagnostics import place_of
from stepward.workflows.program.names import joined


@dataclass(frozen=True, eq=False)
class TaskNode:
    """A task with its path in the document.

    `container` is the path of the group or body that it is in, `scope` that of the body.
    """

    task: TaskDefinition
    path: str
    place: Path
    container: str
    scope: str
    around: TaskNode | None = None
    compensates: TaskNode | None = None

    @cached_property
    def kind(self) -> TaskType[Any] | None:
        """The task's type; None if there is no such type."""
        return find_type(self.task.type) if self.task.type in CATALOG else None

    @cached_property
    def settings(self) -> Any:
        """The task's settings as its type reads them; None if they do not fit."""
        try:
            return self.kind.settings.model_validate(self.task.settings) if self.kind else None
        except ValidationError:
            return None

    @property
    def is_group(self) -> bool:
        """Whether it only groups tasks."""
        return self.kind is not None and self.kind.is_group

    @property
    def is_body(self) -> bool:
        """Whether its tasks run once an item or iteration."""
        return self.kind is not None and self.kind.repeats

    @property
    def is_unresolved(self) -> bool:
        """Whether it calls a custom tool, of which nothing is known before registration."""
        return self.custom_tool is not None and not self.task.settings.get("config")

    @property
    def custom_tool(self) -> str | None:
        """The user's own function that it calls as a tool."""
        return self.kind.custom_tool(self.task) if self.kind else None

    @property
    def child(self) -> ChildRun | None:
        """The run that it starts; None if it starts none, or its settings do not fit."""
        return self.kind.child(self.settings) if self.kind and self.settings is not None else None

    @property
    def is_sequential(self) -> bool:
        """Whether its iterations run one after another."""
        return self.kind is not None and self.kind.is_sequential

    @property
    def effect(self) -> Effect:
        """What a second execution would do; `none` where that is unknown and reported elsewhere."""
        if self.kind is None or self.settings is None or self.is_unresolved:
            return Effect.NONE
        try:
            return self.kind.effect(self.settings)
        except (InvalidRequest, ValidationError):
            return Effect.NONE

    def containers(self) -> Iterator[TaskNode]:
        """Yield the groups and bodies around it, the nearest first."""
        node = self.around
        while node:
            yield node
            node = node.around

    def bodies(self) -> Iterator[TaskNode]:
        """Return the bodies around it, the nearest first."""
        return (node for node in self.containers() if node.is_body)

    def branches(self) -> Iterator[tuple[str, int, str]]:
        """Yield the tasks that depend on its answer, as field, index and id."""
        if self.kind is not None and self.settings is not None:
            for branch in self.kind.branches(self.settings):
                for index, task in enumerate(branch.tasks):
                    yield branch.field, index, task


@dataclass
class CheckContext:
    """The definition and its document as the checks see them."""

    document: Document
    definition: WorkflowDefinition
    nodes: list[TaskNode] = field(default_factory=list)
    compensations: list[TaskNode] = field(default_factory=list)
    _beside: dict[str, dict[str, TaskNode]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lay_out(self.definition.tasks, ("tasks",), None)

    def _lay_out(self, tasks: tuple[TaskDefinition, ...], place: Path, around: TaskNode | None) -> None:
        container = around.path if around else ""
        scope = "" if around is None else around.path if around.is_body else around.scope
        beside = self._beside.setdefault(container, {})
        for index, task in enumerate(tasks):
            path = joined(container, task.id)
            node = TaskNode(task, path, (*place, index), container, scope, around)
            self.nodes.append(node)
            beside.setdefault(task.id, node)
            if task.compensate:
                where = (*node.place, "compensate")
                undo = TaskNode(task.compensate, f"{path}.compensate", where, container, scope, around, node)
                self.compensations.append(undo)
            if task.tasks:
                self._lay_out(task.tasks, (*node.place, "tasks"), node)

    @cached_property
    def input_schema(self) -> dict[str, Any] | None:
        """The schema of a run's input, if there is a valid one."""
        schema = self.definition.input
        return None if schema is None or fault_of_schema(schema) else schema

    def beside(self, container: str) -> dict[str, TaskNode]:
        """Return the tasks of one group or body by their ids; "" is the workflow's own."""
        return self._beside.get(container, {})

    def named(self, container: str, name: str) -> TaskNode | None:
        """Resolve a name in `needs`: a sibling, or by its path a task within a sibling group."""
        first, *rest = name.split(".")
        found = self.beside(container).get(first)
        for step in rest:
            found = self.beside(found.path).get(step) if found and found.is_group else None
        return found

    def seen(self, node: TaskNode, name: str) -> TaskNode | None:
        """Resolve a name in an expression: the nearest task of that id, outward."""
        around: TaskNode | None = node
        container = node.container
        while True:
            if name in self.beside(container):
                return self.beside(container)[name]
            around = around.around if around else None
            if around is None:
                return None
            container = around.container

    def all(self) -> Iterator[TaskNode]:
        """Yield every task, and every compensation."""
        yield from self.nodes
        yield from self.compensations

    def problem(self, node: TaskNode | None, inside: Path | str, code: str, detail: str, fix: str) -> Problem:
        """Make a problem at a field of a task, or of the workflow."""
        path = (inside,) if isinstance(inside, str) else inside
        shown = ".".join(map(str, path)) or None
        task = (place_of(self.document.tree, node.place)[0] or node.path) if node else None
        problem = Problem(code=code, detail=detail, fix=fix, task=task, field=shown)
        return self.document.problem((*(node.place if node else ()), *path), problem)
