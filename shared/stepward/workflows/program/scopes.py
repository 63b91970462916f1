"""Flatten groups: turn a document into scopes, one for itself and one for each body."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from stepward.domain.programs import Gate
from stepward.domain.retries import Retry
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.catalog import branches_of, type_of
from stepward.workflows.program.names import joined


@dataclass
class Node:
    """A task with what it inherits from the groups around it."""

    path: str
    container: str
    depth: int
    task: TaskDefinition
    needs: list[str] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    whens: list[str] = field(default_factory=list)


@dataclass
class Scope:
    """The tasks of the workflow itself, or of one body, in the document's order."""

    path: str
    depth: int
    nodes: list[Node] = field(default_factory=list)


@dataclass
class Scopes:
    """All scopes of a document, the outermost first, and the groups that were flattened."""

    scopes: dict[str, Scope] = field(default_factory=dict)
    groups: dict[str, dict[str, str]] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)

    def members(self, path: str) -> list[str]:
        """Return the tasks that a name refers to: those of a group, or the task itself."""
        if path not in self.groups:
            return [path]
        return [task for inner in self.groups[path].values() for task in self.members(inner)]

    def body_of(self, node: Node) -> Node | None:
        """Return the body that a task is in, past the groups between the two."""
        container = node.container
        while container and container not in self.nodes:
            container = container.rpartition(".")[0]
        return self.nodes.get(container)

    def resolve(self, container: str, name: str) -> str | None:
        """Resolve a name within a container to the nearest task or group, outward."""
        while True:
            path = joined(container, name)
            if path in self.nodes or path in self.groups:
                return path
            if not container:
                return None
            container = container.rpartition(".")[0]


def scopes_of(tasks: tuple[TaskDefinition, ...], depth: int = 0) -> Scopes:
    """Return the scopes of a document that has been checked.

    A state machine visits its tasks repeatedly, so they are at depth 1: each step is an iteration.
    """
    found = Scopes()
    _lay_out(found, tasks, container="", scope=Scope("", depth), around=_Around())
    for node in found.nodes.values():
        node.needs = list(dict.fromkeys(task for need in node.needs for task in found.members(need)))
    _hang_on_conditions(found)
    return found


@dataclass(frozen=True)
class _Around:
    """What tasks inherit: order from groups; retries and the remaining time from bodies too."""

    needs: tuple[str, ...] = ()
    whens: tuple[str, ...] = ()
    retry: Retry | None = None
    timeout_s: int | None = None

    def within(self, task: TaskDefinition) -> _Around:
        """Return what the tasks of a body inherit."""
        times = [one for one in (self.timeout_s, task.timeout_s) if one is not None]
        return _Around(retry=task.retry or self.retry, timeout_s=min(times, default=None))

    def taken_by(self, task: TaskDefinition) -> TaskDefinition:
        """Return the task with the inherited retry rule, and at most the inherited time."""
        if task.tasks or (self.retry is None and self.timeout_s is None):
            return task
        times = [one for one in (self.timeout_s, task.timeout_s) if one is not None]
        taken = {"retry": task.retry or self.retry, "timeout_s": min(times, default=None)}
        return task.model_copy(update=taken)


def _lay_out(
    found: Scopes, tasks: tuple[TaskDefinition, ...], *, container: str, scope: Scope, around: _Around
) -> None:
    found.scopes.setdefault(scope.path, scope)
    for task in tasks:
        path = joined(container, task.id)
        needs = (*around.needs, *(joined(container, need) for need in task.needs))
        whens = (*around.whens, *((task.when,) if task.when else ()))
        kind = type_of(task)
        if kind.is_group:
            found.groups[path] = {inner.id: joined(path, inner.id) for inner in task.tasks}
            inner_around = replace(around.within(task), needs=needs, whens=whens)
            _lay_out(found, task.tasks, container=path, scope=scope, around=inner_around)
            continue
        node = Node(path, container, scope.depth, around.taken_by(task), list(needs), whens=list(whens))
        found.nodes[path] = node
        scope.nodes.append(node)
        if kind.repeats:
            inner = Scope(path, scope.depth + 1)
            _lay_out(found, task.tasks, container=path, scope=inner, around=around.within(task))


def _hang_on_conditions(found: Scopes) -> None:
    """Set the gates of the tasks in `then` and `otherwise`, and let them need the condition."""
    for node in found.nodes.values():
        for branch in branches_of(node.task):
            for name in branch.tasks:
                for path in found.members(joined(node.container, name)):
                    other = found.nodes[path]
                    other.gates.append(Gate(condition=node.path, answer=branch.answer))
                    if node.path not in other.needs:
                        other.needs.append(node.path)
