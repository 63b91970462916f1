"""Write a workflow as a state machine; the same document gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from stepward.domain.retries import Retry
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.tasks.catalog import settings_of, steps_of, type_of
from stepward.tasks.facts import Step as Does
from stepward.workflows.compiler import states
from stepward.workflows.compiler.chunks import chunks_state, items_state, with_chunks
from stepward.workflows.compiler.latches import Latches, latches_of
from stepward.workflows.compiler.series_parallel.arrange import arrange
from stepward.workflows.compiler.series_parallel.tree import Await, Par, Seq, Step, Task, parts
from stepward.workflows.compiler.states import Named, State
from stepward.workflows.program.graphs import limit_width
from stepward.workflows.program.iteration_bounds import at_once
from stepward.workflows.program.names import LONGEST_NAME_CHARS, SETTLE, Part, parallel_name, state_name
from stepward.workflows.program.scopes import Node, Scope, Scopes
from stepward.workflows.program.tasks import retry_of

MOST_NEEDS_A_WRITE: Final = 100
"""Conditions of one write: an expression may have 4 KB."""
Joins = dict[int, list[tuple[str, Await]]]
"""An await by its identity in the tree → the states that it becomes."""


@dataclass
class MachineWriter:
    """Writes one version's machine, and keeps what the program needs to know about it."""

    definition: WorkflowDefinition
    scopes: Scopes
    latches: dict[str, Latches] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    chunks: frozenset[str] = frozenset()
    """The foreach whose items run in executions of their own."""
    _apart: dict[str, Named] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def machine(self) -> dict[str, Any]:
        """Return the whole machine."""
        definition, top = self.definition, self.scopes.scopes[""]
        body = self._by_transitions(top) if definition.is_state_machine else self._by_needs(top)
        body = with_chunks(body, self._apart)
        for name, state in body["States"].items():
            if name != SETTLE and state["Type"] in ("Task", "Parallel", "Map"):
                state.setdefault("Catch", []).append(states.catch(SETTLE))
        return {
            "Comment": f"{definition.name} {definition.version}",
            "QueryLanguage": "JSONata",
            "TimeoutSeconds": definition.timeout_s,
            **body,
        }

    def _by_needs(self, top: Scope) -> dict[str, Any]:
        return _linked([*self._scope(top), (SETTLE, states.finalize_state())])

    def _by_transitions(self, top: Scope) -> dict[str, Any]:
        """Connect the tasks of a state machine by their `next`.

        Each record is in an item of its own, one a step.
        """
        bounded = frozenset(node.task.id for node in top.nodes if node.task.max_visits is not None)
        own = {index: node.path for index, node in enumerate(top.nodes)}
        self.latches[""] = Latches(of_task=own)
        linked = []
        for node in top.nodes:
            way_on = states.states_between(node, decides=states.must_decide(node.task, bounded))
            linked.append(_linked([*self._task(node), *way_on]))
        return states.merged_states(states.first_state(self.definition.start or ""), linked)

    def _scope(self, scope: Scope) -> list[Named]:
        paths = [node.path for node in scope.nodes]
        place = {path: index for index, path in enumerate(paths)}
        needs = [[place[need] for need in node.needs] for node in scope.nodes]
        most = self.definition.max_parallel if scope.path == "" else None
        step = arrange(limit_width(needs, most))
        joins = self._joins(step, paths)
        self.steps[scope.path] = step
        every = [join for named in joins.values() for join in named]
        self.latches[scope.path] = latches_of(scope.path, step, paths, every)
        return self._step(step, scope, joins)

    def _joins(self, step: Step, paths: Sequence[str]) -> Joins:
        """Name every await after the task that it precedes, and split those of very many tasks."""
        found: Joins = {}
        ahead = [step]
        while ahead:
            one = ahead.pop()
            inner = parts(one)
            if isinstance(one, Seq):
                for before, after in pairwise(inner):
                    if isinstance(before, Await):
                        name = state_name(paths[_first(after)], Part.WAITS)
                        found[id(before)] = [(self._name(name), Await(few)) for few in _few(before.needs)]
            ahead.extend(reversed(inner))
        return found

    def _step(self, step: Step, scope: Scope, joins: Joins) -> list[Named]:
        chain: list[Named] = []
        for one in parts(step) if isinstance(step, Seq) else (step,):
            match one:
                case Task(index):
                    chain += self._task(scope.nodes[index])
                case Await():
                    chain += [self._await(join, scope, name) for name, join in joins[id(one)]]
                case Par():
                    chain.append(self._parallel(one, scope, joins))
        return chain

    def _await(self, join: Await, scope: Scope, name: str) -> Named:
        needs = [scope.nodes[need].path for need in join.needs]
        latch, timeout_s = self.latches[scope.path].latch_of_join[name], self.definition.timeout_s
        return name, states.await_state(name, latch, needs, nested=scope.depth > 0, timeout_s=timeout_s)

    def _parallel(self, step: Par, scope: Scope, joins: Joins) -> Named:
        branches = [self._step(branch, scope, joins) for branch in parts(step)]
        first = scope.nodes[_first(step)].path
        name = self._name(parallel_name(first, len(branches)))
        return name, {
            "Type": "Parallel",
            "Branches": [_linked(branch) for branch in branches],
            "Output": states.next_input(nested=scope.depth > 0),
        }

    def _task(self, node: Node) -> list[Named]:
        """Return the states of a task, in the order of its type's steps."""
        writers = {
            Does.CALL: self._call,
            Does.AWAIT: self._await_answer,
            Does.BEGIN: self._begin,
            Does.PAUSE: self._pass_time,
            Does.ITEMS: self._items,
            Does.ROUNDS: self._rounds,
            Does.KEEP: self._keep,
        }
        return [named for does in steps_of(node.task) for named in writers[does](node)]

    def _call(self, node: Node) -> list[Named]:
        retry, timeout_s = retry_of(self.definition, node.task), node.task.timeout_s
        nested, comment = node.depth > 0, _comment(node.task)
        state = states.task_state(node.path, nested=nested, comment=comment, retry=retry, timeout_s=timeout_s)
        return [(node.path, state)]

    def _await_answer(self, node: Node) -> list[Named]:
        task, kind = node.task, type_of(node.task)
        timeout_s = task.timeout_s or kind.most_seconds(settings_of(task)) or self.definition.timeout_s
        state = states.awaited_state(
            node.path,
            nested=node.depth > 0,
            comment=_comment(task),
            retry=retry_of(self.definition, task),
            timeout_s=timeout_s,
            asks_again=task.asks_again,
        )
        return [(node.path, state)]

    def _begin(self, node: Node) -> list[Named]:
        """Return the first state of a foreach, loop or wait.

        A loop's iterations end in it: the same state decides whether there is another.
        """
        is_sequential = type_of(node.task).is_sequential
        nested = node.depth > 0 or is_sequential
        begin = states.task_state(node.path, nested=nested, comment=_comment(node.task), retry=Retry())
        if is_sequential and node.depth == 0:
            begin["Arguments"]["Payload"]["at"] = "{% $exists($states.input.at) ? $states.input.at : '' %}"
        begin["Output"] = "{% $states.result.Payload %}"
        return [(node.path, begin)]

    def _keep(self, node: Node) -> list[Named]:
        state = states.task_state(node.path, nested=node.depth > 0, step="done", retry=Retry())
        return [(state_name(node.path, Part.DONE), state)]

    def _pass_time(self, node: Node) -> list[Named]:
        pause = {
            "Type": "Wait",
            "Seconds": "{% $states.input.seconds %}",
            "Output": states.next_input(nested=node.depth > 0),
        }
        return [(state_name(node.path, Part.PASSES), pause)]

    def _items(self, node: Node) -> list[Named]:
        nested, most = node.depth > 0, at_once(node.task)
        body = _linked(self._scope(self.scopes.scopes[node.path]))
        if node.path not in self.chunks:
            return [states.items_state(node.path, most, body, nested=nested)]
        self._apart[node.path] = items_state(node.path, most, body)
        return [chunks_state(node.path, most, nested=nested, timeout_s=self.definition.timeout_s)]

    def _rounds(self, node: Node) -> list[Named]:
        inner = self._scope(self.scopes.scopes[node.path])
        _lead_back(inner, node.path)
        again: State = {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.again %}", "Next": inner[0][0]}],
            "Default": _Past(len(inner)),
            "Output": {"at": "{% $states.input.at %}"},
        }
        return [(state_name(node.path, Part.AGAIN), again), *inner]

    def needs_of_joins(self) -> dict[str, tuple[str, ...]]:
        """Return the tasks that each await waits for, by the name of its state."""
        waiting = (one for held in self.latches.values() for few in held.awaits.values() for one in few)
        return {one.join: one.needs for one in waiting}

    def _name(self, wanted: str) -> str:
        name, number = wanted[:LONGEST_NAME_CHARS], 1
        while name in self._names:
            number += 1
            name = f"{wanted[: LONGEST_NAME_CHARS - 1 - len(str(number))]} {number}"
        self._names.add(name)
        return name


def _first(step: Step) -> int:
    """Return the first task of a step, in the order of the tree."""
    ahead = [step]
    while ahead:
        one = ahead.pop()
        if isinstance(one, Task):
            return one.index
        ahead.extend(reversed(parts(one)))
    raise ValueError("a step without a task")


@dataclass(frozen=True)
class _Past:
    """A transition past the states of a loop's body, which follow its question."""

    states: int


def _linked(chain: Sequence[Named]) -> dict[str, Any]:
    """Connect each state to the next one; the last ends the branch."""
    laid = list(chain)
    if any(_ends_with_loop(place, state, len(laid)) for place, (_, state) in enumerate(laid)):
        laid.append((state_name(laid[0][0], Part.ENDED), {"Type": "Succeed"}))
    names = [name for name, _ in laid]
    for place, (_, state) in enumerate(laid):
        following = names[place + 1] if place + 1 < len(names) else None
        if state["Type"] == "Choice" and isinstance(state["Default"], _Past):
            state["Default"] = names[place + state["Default"].states + 1]
        elif state["Type"] not in ("Choice", "Succeed"):
            _lead(state, following)
    return {"StartAt": names[0], "States": dict(laid)}


def _lead_back(body: list[Named], question: str) -> None:
    """Connect the end of an iteration to the state that asks for the next one.

    Where a loop ends the iteration, that is where this loop is over.
    """
    for place, (_, state) in enumerate(body):
        if _ends_with_loop(place, state, len(body)):
            state["Default"] = question
            return
    body[-1][1]["Next"] = question


def _ends_with_loop(place: int, state: State, states_in_all: int) -> bool:
    past = state.get("Default")
    return isinstance(past, _Past) and place + past.states + 1 == states_in_all


def _lead(state: State, following: str | None) -> None:
    if following is None and "Next" not in state:
        state["End"] = True
    elif "End" not in state:
        state.setdefault("Next", following)
    for caught in state.get("Catch", []):
        if caught["Next"] == "":
            caught["Next"] = following


def _few(needs: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [needs[at : at + MOST_NEEDS_A_WRITE] for at in range(0, len(needs), MOST_NEEDS_A_WRITE)]


def _comment(task: TaskDefinition) -> str:
    return task.description or task.name
