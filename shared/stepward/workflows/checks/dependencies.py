"""Check ids, needs and branches, and find cycles."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.tree import Path
from stepward.domain.nearest import did_you_mean
from stepward.workflows.checks.context import CheckContext, TaskNode
from stepward.workflows.checks.precedence import Precedence, ScopePrecedence

# Ids.


def find_repeated_ids(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find ids that occur twice in one group or body, or in the workflow itself."""
    del precedence
    for node in context.nodes:
        first = context.beside(node.container)[node.task.id]
        if first is not node:
            position = context.document.position((*first.place, "id"))
            where = f" in line {position.line}" if position else ""
            detail = f"there is a task {node.task.id!r} already{where}"
            yield context.problem(node, "id", "duplicate-id", detail, "give one of them another id")


# Needs.


def find_missing_needs(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find needs that name no task, the task itself, or one across a container's border."""
    del precedence
    anywhere: dict[str, list[TaskNode]] = {}
    for node in context.nodes:
        anywhere.setdefault(node.task.id, []).append(node)
    for node in context.nodes:
        for index, name in enumerate(node.task.needs):
            found = context.named(node.container, name)
            if found is None:
                code, detail, fix = _missing(context, node, name, anywhere)
                yield context.problem(node, ("needs", index), code, detail, fix)
            elif found is node:
                detail = f"{name!r} needs itself, so it could never start"
                yield context.problem(
                    node, ("needs", index), "self-dependency", detail, "take it out of its own needs"
                )


def _missing(
    context: CheckContext, node: TaskNode, name: str, anywhere: dict[str, list[TaskNode]]
) -> tuple[str, str, str]:
    for other in anywhere.get(name.rpartition(".")[2], ()):
        if found := _elsewhere(node, other):
            return found
    known = context.beside(node.container).keys() - {node.task.id}
    return "missing-task", f"there is no task {name!r}", did_you_mean(name, known, _known(sorted(known)))


def _elsewhere(node: TaskNode, other: TaskNode) -> tuple[str, str, str] | None:
    """Explain a need of a task that exists, but not where this one could wait for it."""
    name = other.path
    around = other.around
    while around:
        if around.container == node.container:
            detail = f"{name!r} runs within {around.task.id!r}"
            fix = f"need {around.task.id!r}, which ends after all that is in it"
            return "need-into-body", detail, fix
        around = around.around
    inner = node.around
    while inner:
        if other.container == inner.container:
            detail = f"{name!r} runs outside of {inner.task.id!r}"
            return "need-out-of-body", detail, f"let {inner.task.id!r} need it: what is within waits with it"
        inner = inner.around
    return None


def _known(names: list[str]) -> str:
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"the tasks beside it are {shown}" if names else "there is no other task beside it"


# Branches of conditions.


def find_wrong_branches(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find branches that name no sibling or the condition itself, and any in state machines."""
    for node in context.nodes:
        for field, index, name in node.branches():
            found = context.named(node.container, name)
            if found is node:
                detail = f"{name!r} cannot hang on its own answer"
                yield context.problem(
                    node, (field, index), "self-dependency", detail, f"take it out of `{field}`"
                )
            elif found is None:
                known = context.beside(node.container).keys() - {node.task.id}
                fix = did_you_mean(name, known, "name a task beside the condition")
                yield context.problem(node, (field, index), "missing-task", f"there is no task {name!r}", fix)
            elif precedence.scopes[node.scope].is_machine and not node.container:
                fix = f"use `next: [{{to: {name}, when: …}}]`"
                yield context.problem(
                    node, (field, index), "branch-in-machine", "a state machine goes by `next`", fix
                )


# Cycles.


MOST_SHOWN = 12


def find_cycles(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find the cycles of needs, each in the order in which it would have to run."""
    for order in precedence.scopes.values():
        for ring in () if order.is_machine else order.graph.rings:
            yield _problem(context, order, order.graph.shortest_ring(ring))


def _problem(context: CheckContext, order: ScopePrecedence, ring: list[int]) -> Problem:
    nodes = [order.node_of(vertex) for vertex in ring]
    # A group is two nodes; in the telling it is one.
    cycle = [node for before, node in zip([None, *nodes], nodes, strict=False) if node is not before]
    waits, need = cycle[0], cycle[-2] if len(cycle) > 1 else cycle[0]
    detail = f"{_shown(cycle)}: each waits for the one before it, so none could start"
    field, fix = _cut(waits, need)
    return context.problem(waits, field, "cycle", detail, fix)


def _shown(cycle: list[TaskNode]) -> str:
    ids = [node.path for node in cycle]
    if len(ids) > MOST_SHOWN:
        ids = [*ids[: MOST_SHOWN - 2], f"… ({len(ids) - MOST_SHOWN} more)", *ids[-2:]]
    return " → ".join(ids)


def _cut(waits: TaskNode, need: TaskNode) -> tuple[Path, str]:
    for index, name in enumerate(waits.task.needs):
        if name in (need.task.id, need.path) or need.path.startswith(f"{name}."):
            return (
                "needs",
                index,
            ), f"take one of these needs out, for example {name!r} from those of {waits.task.id!r}"
    if any(name == waits.task.id for _, _, name in need.branches()):
        return (), f"{need.task.id!r} needs what hangs on its own answer: take one of the two out"
    return (), "take one of these needs out"
