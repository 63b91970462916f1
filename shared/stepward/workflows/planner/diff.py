"""Compare two versions: their graphs, their plans and their permissions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.tasks.catalog import branches_of, settings_of, type_of
from stepward.workflows.compiler.compile import Compiled
from stepward.workflows.planner.costs import Costs
from stepward.workflows.planner.plan import Plan, plan
from stepward.workflows.program.names import joined
from stepward.workflows.program.tasks import walk

# What a version may reach.


class Permissions(BaseModel):
    """What a version may reach, by kind; names are sorted."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    agents: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


def permissions(definition: WorkflowDefinition) -> Permissions:
    """Collect what a version's tasks may reach, compensations included."""
    found: dict[str, set[str]] = {name: set() for name in Permissions.model_fields}
    for _, task in walk(definition.tasks):
        for kind, name in type_of(task).reaches(settings_of(task)):
            found[kind].add(name)
    return Permissions(**{kind: tuple(sorted(names)) for kind, names in found.items()})


# Differences.


COMPARED: Final = (
    "levels",
    "critical_path",
    "makespan_ms",
    "barrier_makespan_ms",
    "width",
    "awaits",
    "parallels",
    "states",
    "transitions",
    "lambda_calls",
    "dynamodb_writes",
    "child_runs",
    "aws",
    "children",
    "cost",
)
"""The fields of a plan that are compared."""


class Change(BaseModel):
    """A value that differs between two versions; None where there is none."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    field: str
    before: Any = None
    after: Any = None


class TaskChange(BaseModel):
    """The fields in which a task differs between two versions."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    task: str
    fields: tuple[Change, ...]


class Edge(BaseModel):
    """An order of two tasks: by `needs`, by a condition's answer, or by a transition."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    before: str
    after: str
    why: str = "needs"


class PermissionChanges(BaseModel):
    """Permissions that were added and removed."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    added: Permissions
    removed: Permissions


class WorkflowDiff(BaseModel):
    """All differences of two versions; empty lists where there are none."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    workflow: str
    before: str
    after: str
    same: bool
    fields: tuple[Change, ...]
    """Fields of the workflow itself."""
    tasks_added: tuple[str, ...]
    tasks_removed: tuple[str, ...]
    tasks_changed: tuple[TaskChange, ...]
    edges_added: tuple[Edge, ...]
    edges_removed: tuple[Edge, ...]
    plan: tuple[Change, ...]
    permissions: PermissionChanges


@dataclass(frozen=True)
class Version:
    """A version with its compiled machine."""

    definition: WorkflowDefinition
    compiled: Compiled


def diff(before: Version, after: Version, costs: Costs | None = None) -> WorkflowDiff:
    """Compare two versions; tasks with the same path are the same."""
    old, new = _tasks(before.definition), _tasks(after.definition)
    edges = _edges(before.definition), _edges(after.definition)
    fields = tuple(_changes(_own(before.definition), _own(after.definition)))
    changed = tuple(_changed(old, new))
    both = plan(before.definition, before.compiled, costs), plan(after.definition, after.compiled, costs)
    return WorkflowDiff(
        workflow=after.definition.id,
        before=before.definition.version,
        after=after.definition.version,
        same=not fields and not changed and old.keys() == new.keys(),
        fields=fields,
        tasks_added=tuple(path for path in new if path not in old),
        tasks_removed=tuple(path for path in old if path not in new),
        tasks_changed=changed,
        edges_added=tuple(edge for edge in edges[1] if edge not in edges[0]),
        edges_removed=tuple(edge for edge in edges[0] if edge not in edges[1]),
        plan=tuple(_changes(_compared(both[0]), _compared(both[1]))),
        permissions=_permission_changes(permissions(before.definition), permissions(after.definition)),
    )


def _tasks(definition: WorkflowDefinition) -> dict[str, TaskDefinition]:
    return dict(walk(definition.tasks, compensations=False))


def _changed(old: dict[str, TaskDefinition], new: dict[str, TaskDefinition]) -> Iterator[TaskChange]:
    for path, task in new.items():
        if path in old and (fields := tuple(_changes(_shown(old[path]), _shown(task)))):
            yield TaskChange(task=path, fields=fields)


def _changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name in [*old, *(name for name in new if name not in old)]:
        if old.get(name) != new.get(name):
            yield Change(field=name, before=old.get(name), after=new.get(name))


def _shown(task: TaskDefinition) -> dict[str, Any]:
    shown: dict[str, Any] = task.model_dump(mode="json", by_alias=True)
    return {name: value for name, value in shown.items() if name != "tasks"}


def _own(definition: WorkflowDefinition) -> dict[str, Any]:
    return definition.model_dump(mode="json", exclude={"id", "version", "tasks"})


def _compared(made: Plan) -> dict[str, Any]:
    return made.model_dump(mode="json", include=set(COMPARED))


def _edges(definition: WorkflowDefinition) -> dict[Edge, None]:
    """Return the edges of a document, in its order."""
    found: dict[Edge, None] = {}
    for path, task in _tasks(definition).items():
        container = path.rpartition(".")[0]
        for need in task.needs:
            found[Edge(before=joined(container, need), after=path)] = None
        for branch in branches_of(task):
            for name in branch.tasks:
                found[Edge(before=path, after=joined(container, name), why=branch.field)] = None
        for way in task.next:
            found[Edge(before=path, after=way.to, why=f"next {way.when or ''}".strip())] = None
    return found


def _permission_changes(old: Permissions, new: Permissions) -> PermissionChanges:
    return PermissionChanges(added=_without(new, old), removed=_without(old, new))


def _without(these: Permissions, those: Permissions) -> Permissions:
    return Permissions(
        **{
            kind: tuple(name for name in getattr(these, kind) if name not in getattr(those, kind))
            for kind in Permissions.model_fields
        }
    )
