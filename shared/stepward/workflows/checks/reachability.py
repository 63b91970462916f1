"""Find tasks that can never run, and transitions that lead nowhere or never end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stepward.domain.documents.problems import Problem
from stepward.domain.nearest import did_you_mean
from stepward.workflows.checks.context import CheckContext, TaskNode
from stepward.workflows.checks.precedence import Precedence, ScopePrecedence

# Graphs by needs.


_ALWAYS_FALSE = frozenset({"{% false %}", "{%false%}"})


def find_dead_ends(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find tasks whose condition is always false, or that need both answers of a condition."""
    for order in precedence.scopes.values():
        if not order.is_machine and not order.graph.rings:
            yield from _Answers(context, order).problems()


@dataclass
class _Answers:
    """The answers that each task of a scope needs to run, two bits a condition."""

    context: CheckContext
    order: ScopePrecedence
    gates: dict[str, list[tuple[TaskNode, int]]] = field(default_factory=dict)
    asked: dict[int, TaskNode] = field(default_factory=dict)
    needed: dict[str, int] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)

    def problems(self) -> Iterator[Problem]:
        self._find_gates()
        if not self.gates and not any(node.task.when for node in self.order.nodes):
            return
        for node in self._in_order():
            yield from self._of(node)

    def _find_gates(self) -> None:
        conditions = [node for node in self.order.nodes if any(node.branches())]
        for number, node in enumerate(conditions):
            self.asked[number] = node
            for name, _, task in node.branches():
                found = self.context.named(node.container, task)
                if found:
                    bit = 2 * number + (name == "otherwise")
                    self.gates.setdefault(found.path, []).append((node, bit))

    def _in_order(self) -> list[TaskNode]:
        past = self.order.graph.past
        return sorted(self.order.nodes, key=lambda one: past[self.order.first_node(one)].bit_count())

    def _members(self, node: TaskNode) -> list[TaskNode]:
        """Return the tasks that a need of a group means: each of the tasks in it."""
        if not node.is_group:
            return [node]
        return [one for inner in self.context.beside(node.path).values() for one in self._members(inner)]

    def _of(self, node: TaskNode) -> Iterator[Problem]:
        own = 0
        for condition, bit in self.gates.get(node.path, ()):
            own |= 1 << bit
            if _answers_only(condition) is (bit % 2 == 1):
                detail = f"{condition.task.id!r} is always {str(bit % 2 == 1).lower()}, so {node.task.id!r} never runs"
                yield self._dead(
                    node, (), detail, "ask something that depends on the run, or take the task out"
                )
                return
        if node.task.when in _ALWAYS_FALSE:
            detail = f"{node.task.id!r} never runs: its `when` is always false"
            yield self._dead(
                node, ("when",), detail, "ask something that depends on the run, or take the task out"
            )
            return
        named = [one for name in node.task.needs if (one := self.context.named(node.container, name))]
        needs = [one for need in named for one in self._members(need)]
        if node.task.run_when == "all_done" and any(need.path in self.dead for need in needs):
            self.dead.add(node.path)
            return
        yield from self._joined(node, own, needs)

    def _joined(self, node: TaskNode, own: int, needs: list[TaskNode]) -> Iterator[Problem]:
        around = self.needed.get(node.around.path, 0) if node.around else 0
        before = [self.needed.get(need.path, 0) for need in needs if need.path not in self.dead]
        joined = 0
        if before and node.task.run_when == "all_done":
            for one in before:
                joined |= one
        elif before and node.task.run_when == "any_done":
            joined = before[0]
            for one in before:
                joined &= one
        self.needed[node.path] = own | around | joined
        both = self._both(self.needed[node.path])
        if both:
            yield self._dead(node, ("needs",), *self._explained(node, both, needs))

    def _both(self, answers: int) -> TaskNode | None:
        # The even bits stand for yes and the odd ones for no: an overlap of the two is a question answered both ways.
        clash = answers & answers >> 1
        while clash:
            bit = (clash & -clash).bit_length() - 1
            if bit % 2 == 0:
                return self.asked[bit // 2]
            clash &= clash - 1
        return None

    def _explained(self, node: TaskNode, condition: TaskNode, needs: list[TaskNode]) -> tuple[str, str]:
        ids = " and ".join(repr(need.task.id) for need in needs[:4])
        detail = (
            f"{node.task.id!r} never runs: it needs {ids or 'what it is in'}, which take both answers of "
            f"{condition.task.id!r}, and one of the two is always skipped"
        )
        return detail, "let it say `run_when: any_done`"

    def _dead(self, node: TaskNode, inside: Any, detail: str, fix: str) -> Problem:
        self.dead.add(node.path)
        return self.context.problem(node, inside, "unreachable", detail, fix)


def _answers_only(condition: TaskNode) -> bool | None:
    test = condition.settings.test
    if isinstance(test, bool):
        return test
    return {"{% true %}": True, "{% false %}": False}.get(test) if isinstance(test, str) else None


# State machines by transitions.


def find_wrong_transitions(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find what the two shapes of graph do not share, and wrong transitions."""
    is_machine = context.definition.is_state_machine
    for node in context.nodes:
        if is_machine and node.is_group and not node.container:
            detail = "a state machine goes from task to task, and a group is none"
            fix = "put its tasks into a foreach of one item (`items: [1]`), or into a workflow of their own"
            yield context.problem(node, "type", "wrong-shape", detail, fix)
        if node.task.next and (node.container or not is_machine):
            where = "within a body or group" if node.container else "without a `start`"
            fix = "use `needs`" if node.container else "use `needs`, or give the workflow a `start`"
            yield context.problem(node, "next", "wrong-shape", f"`next` has no meaning {where}", fix)
    if is_machine and "" in precedence.scopes:
        yield from _start(context)
        yield from _ways(context)
        yield from _circles(context, precedence.scopes[""])
        yield from _unreached(context)


def _tasks(context: CheckContext) -> list[TaskNode]:
    return [node for node in context.nodes if not node.container]


def _start(context: CheckContext) -> Iterator[Problem]:
    start = context.definition.start or ""
    if start not in context.beside(""):
        fix = did_you_mean(start, context.beside(""), "name one of the tasks")
        yield context.problem(None, "start", "missing-task", f"there is no task {start!r} to start with", fix)


def _ways(context: CheckContext) -> Iterator[Problem]:
    known = context.beside("")
    for node in _tasks(context):
        if node.task.needs:
            detail = "a state machine goes by `next`, so `needs` has no meaning"
            yield context.problem(node, "needs", "wrong-shape", detail, "let the task before it say `next`")
        for index, transition in enumerate(node.task.next):
            if transition.to not in known:
                detail = f"there is no task {transition.to!r} to go to"
                fix = did_you_mean(transition.to, known, "name one of the workflow's own tasks")
                yield context.problem(node, ("next", index, "to"), "missing-task", detail, fix)
            if transition.when is None and index < len(node.task.next) - 1:
                detail = f"the way to {transition.to!r} is always taken, so none after it ever is"
                fix = "give it a `when`, or put it last"
                yield context.problem(node, ("next", index + 1), "unreachable", detail, fix)


def _circles(context: CheckContext, order: ScopePrecedence) -> Iterator[Problem]:
    """Find cycles on which no task has `max_visits`; one that has it bounds all the others."""
    bounded = {number for number, node in enumerate(order.nodes) if node.task.max_visits is not None}
    needs = [
        [] if vertex in bounded else [n for n in needed if n not in bounded]
        for vertex, needed in enumerate(order.graph.needs)
    ]
    for vertex, needed in enumerate(needs):
        if vertex in needed:
            yield _endless(context, [order.node_of(vertex)])
    unbounded = type(order.graph)(needs)
    for ring in unbounded.rings:
        vertices = unbounded.shortest_ring(ring)
        yield _endless(context, [order.node_of(vertex) for vertex in vertices[:-1]])


def _endless(context: CheckContext, circle: list[TaskNode]) -> Problem:
    ids = [node.task.id for node in circle]
    shown = " → ".join([*ids[:12], *(["…"] if len(ids) > 12 else []), ids[0]])
    detail = f"{shown}: nothing says how often the run may come by"
    return context.problem(circle[0], "next", "no-bound", detail, f"give {ids[0]!r} `max_visits`")


def _unreached(context: CheckContext) -> Iterator[Problem]:
    known = context.beside("")
    ahead = [context.definition.start or ""]
    reached: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name in known and name not in reached:
            reached.add(name)
            ahead.extend(transition.to for transition in known[name].task.next)
    for node in _tasks(context) if reached else ():
        if node.task.id not in reached:
            detail = f"no way leads from {context.definition.start!r} to {node.task.id!r}"
            yield context.problem(
                node, (), "unreachable", detail, "let a task's `next` lead to it, or take it out"
            )
