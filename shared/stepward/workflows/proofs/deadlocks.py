"""Prove that each await of the compiled machine is released on every path.

The evidence is the machine itself. In one scope every state is entered in every run that is not ended early, for
tasks are skipped, and fail where others may go on, within their states. So it is enough that each awaited task is in
the scope of its await, writes its record where the await looks, and does not itself come after the await.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from stepward.tasks.catalog import type_of
from stepward.workflows.compiler.chunks import unfolded
from stepward.workflows.compiler.machine_size import is_await, is_function
from stepward.workflows.program.graphs import Cycle, topological_order
from stepward.workflows.program.names import SETTLE, Part, is_part, path_of, state_name
from stepward.workflows.program.tasks import body_of
from stepward.workflows.proofs.proof import Proof, Subject

NAME: Final = "no-deadlock"
_CONDITION: Final = "DynamoDb.ConditionalCheckFailedException"


def prove(subject: Subject) -> Proof:
    """Check every await of the machine against the states that release it."""
    graph = _StateGraph(subject)
    graph.read(unfolded(subject.compiled.machine))
    stuck = next(graph.stuck(), None)
    if stuck:
        way, words = stuck
        return Proof(name=NAME, holds=False, is_required=True, counter_example=way, words=words)
    awaited = sum(len(needs) for needs in graph.awaits.values())
    words = (
        f"{len(graph.awaits)} awaits of the machine wait for {awaited} records; each is kept, whatever becomes of its task, in "
        "the round of the await and where it looks, by a state that does not come after it"
    )
    return Proof(name=NAME, holds=True, is_required=True, words=words)


@dataclass
class _StateGraph:
    """The machine as a graph of what ends before what."""

    subject: Subject
    before: dict[str, set[str]] = field(default_factory=dict)
    awaits: dict[str, list[str]] = field(default_factory=dict)
    escapes: list[tuple[str, str]] = field(default_factory=list)

    def read(self, machine: dict[str, Any], after: str = "", end: str = "") -> None:
        """Add a list of states that begins after one state and ends before another."""
        states = machine["States"]
        self._put(machine["StartAt"], after)
        for name, state in states.items():
            done = self._within(name, state)
            for following in _next(state):
                if not self._is_back(name, following):
                    self._put(following, done)
            if not _next(state) and end:
                self._put(end, done)
            self._note(name, state)

    def _is_back(self, name: str, following: str) -> bool:
        """Return whether a transition orders nothing.

        It leads back to a loop's question, or from task to task of a state machine.
        """
        if following in self._loops and name.startswith(f"{following}."):
            return True
        owners = path_of(name), path_of(following)
        if not self.subject.definition.is_state_machine or any("." in one for one in owners):
            return False
        # A task that leads to itself is entered again by its first state, which has its name.
        return owners[0] != owners[1] or (following == owners[0] and name in _ways_on(following))

    @cached_property
    def _loops(self) -> set[str]:
        return {path for path, one in self.subject.program.tasks.items() if type_of(one.task).is_sequential}

    def _put(self, name: str, before: str) -> None:
        self.before.setdefault(name, set())
        if before:
            self.before.setdefault(before, set())
            self.before[name].add(before)

    def _within(self, name: str, state: dict[str, Any]) -> str:
        """Add the branches or the body of a state, and return the point after all of them."""
        inner = [*state.get("Branches", ()), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]
        if not inner:
            self._put(name, "")
            return name
        done = f"{name} is done"
        self._put(done, name)
        for branch in inner:
            self.read(branch, name, done)
        return done

    def _note(self, name: str, state: dict[str, Any]) -> None:
        if is_await(state) and is_function(state):
            self._note_by_function(name, state["Arguments"]["Payload"]["join"])
        elif is_await(state):
            said = state["Arguments"]["ExpressionAttributeNames"]
            self.awaits[name] = [path.removeprefix("r:") for path in said.values() if path.startswith("r:")]
        for caught in state.get("Catch", ()):
            passes = caught["ErrorEquals"] == [_CONDITION] and caught["Next"] in _next(state)
            if not passes and caught["Next"] != SETTLE:
                self.escapes.append((name, caught["Next"]))
        is_question = state["Type"] == "Choice" and not (
            is_part(name, Part.AGAIN) and path_of(name) in self._loops
        )
        if is_question and not self.subject.definition.is_state_machine:
            self.escapes.append((name, ""))

    def _note_by_function(self, name: str, join: str) -> None:
        """Take the needs of a join from the program, where the machine does not have them."""
        latches = self._awaited_at.get(join, {})
        self.awaits[name] = sorted(need for needs in latches.values() for need in needs)
        if join != name or not latches:
            self.escapes.append((name, ""))

    def stuck(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the paths on which a state waits forever."""
        for name, to in self.escapes:
            yield (
                (path_of(name),),
                f"the state {name!r} may leave out states that others wait for (it leads to {to!r})",
            )
        for name, needs in self.awaits.items():
            for need in needs:
                if why := self._no_release(name, need):
                    yield (need, path_of(name)), why
        yield from self._rings()

    def _no_release(self, name: str, need: str) -> str | None:
        program = self.subject.program
        if need not in program.tasks or self._keeps(need) not in self.before:
            return f"{name!r} waits for {need!r}, which no state carries"
        if body_of(program, need) != body_of(program, path_of(name)):
            return f"{name!r} waits for {need!r}, which is in another body"
        task, latches = program.tasks[need], self._awaited_at.get(name, {})
        if not any(need in latches.get(latch, ()) for latch in (task.latch, *task.marks)):
            return f"{need!r} keeps its record where {name!r} does not look"
        return None

    @cached_property
    def _awaited_at(self) -> dict[str, dict[str, frozenset[str]]]:
        """The latches at which each await waits, with the tasks that it waits for."""
        found: dict[str, dict[str, frozenset[str]]] = {}
        for latch, waiting in self.subject.program.latches.items():
            for one in waiting:
                before = found.setdefault(one.join, {}).get(latch, frozenset())
                found[one.join][latch] = before | frozenset(one.needs)
        return found

    def _keeps(self, path: str) -> str:
        """Return the state in which a task's record is written at the latest."""
        kind = type_of(self.subject.program.tasks[path].task)
        if kind.records_later:
            return state_name(path, Part.DONE)
        return state_name(path, Part.AGAIN) if kind.is_sequential else path

    def _rings(self) -> Iterator[tuple[tuple[str, ...], str]]:
        names = list(self.before)
        number = {name: index for index, name in enumerate(names)}
        needs = [[number[one] for one in sorted(self.before[name])] for name in names]
        for name, awaited in self.awaits.items():
            needs[number[name]] += [
                number[self._keeps(need)] for need in awaited if self._keeps(need) in number
            ]
        try:
            topological_order(needs)
        except Cycle as ring:
            way = tuple(dict.fromkeys(path_of(names[index]) for index in ring.path))
            yield way, "these wait for each other"


def _ways_on(path: str) -> tuple[str, str]:
    return state_name(path, Part.TO_NEXT), state_name(path, Part.LEAVES)


def _next(state: dict[str, Any]) -> list[str]:
    ways = [one["Next"] for one in state.get("Choices", ())] + [state.get("Next"), state.get("Default")]
    return [way for way in ways if way]
