"""Prove that every run ends: each loop is bounded, and each await is released.

The evidence for awaits is the machine itself. In one scope every state is entered in every run that is not ended early,
for tasks are skipped, and fail where others may go on, within their states. So it is enough that each awaited task is in
the scope of its await, writes its record where the await looks, and does not itself come after the await.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from stepward.domain.workflows import WorkflowDefinition
from stepward.tasks.catalog import type_of
from stepward.tasks.facts import Starts
from stepward.workflows.compiler.chunks import unfolded
from stepward.workflows.compiler.machine_size import is_await, is_function
from stepward.workflows.program.graphs import Cycle, topological_order
from stepward.workflows.program.iteration_bounds import IterationBounds
from stepward.workflows.program.names import SETTLE, Part, is_part, path_of, state_name
from stepward.workflows.program.tasks import body_of, retry_of, walk
from stepward.workflows.proofs.proof import Proof, Subject

# Termination.
BOUNDED: Final = "bounded"


def prove_termination(subject: Subject) -> Proof:
    """Find a loop without a number of iterations, or a cycle without a number of visits."""
    definition = subject.definition
    endless = next(_endless_loops(definition), None) or _endless_circle(definition)
    if endless:
        words = "nothing says how often a run goes round there"
        return Proof(name=BOUNDED, holds=False, is_required=True, counter_example=endless, words=words)
    return Proof(name=BOUNDED, holds=True, is_required=True, words=_bounds_in_words(subject))


def _endless_loops(definition: WorkflowDefinition) -> Iterator[tuple[str, ...]]:
    for path, task in walk(definition.tasks):
        kind = type_of(task)
        if kind.bound is None:
            continue
        otherwise = kind.settings.model_fields[kind.bound].default
        said: Any = task.settings.get(kind.bound, otherwise)
        if not (isinstance(said, int) and said >= 1):
            yield (path,)


def _endless_circle(definition: WorkflowDefinition) -> tuple[str, ...] | None:
    """Find a cycle without a bounded task; one such task bounds every cycle that it is on."""
    free = [task for task in definition.tasks if task.max_visits is None]
    number = {task.id: index for index, task in enumerate(free)}
    needs: list[list[int]] = [[] for _ in free]
    for task in free:
        for way in task.next:
            if way.to in number:
                needs[number[way.to]].append(number[task.id])
    try:
        topological_order(needs)
    except Cycle as ring:
        return tuple(free[index].id for index in ring.path)
    return None


def _bounds_in_words(subject: Subject) -> str:
    program, rounds = subject.program, IterationBounds(subject.program)
    started = Counter[Starts]()
    for path, planned in program.tasks.items():
        if starts := type_of(planned.task).starts:
            started[starts] += rounds.of(path).most * retry_of(program.definition, planned.task).attempts
    limit = subject.definition.cost_limit_usd
    spend = f", and none begins once ${limit} are spent" if limit else ""
    repeated = sum(type_of(planned.task).repeats for planned in program.tasks.values())
    return (
        f"{repeated} bodies and all circles have a bound; a run starts at most {started[Starts.AGENT]:,} runs of agents, each "
        f"with a cost limit of its own{spend}, and {started[Starts.WORKFLOW]:,} of workflows, which cannot run each other in a circle"
    )


# Deadlocks.
NO_DEADLOCK: Final = "no-deadlock"
_CONDITION: Final = "DynamoDb.ConditionalCheckFailedException"


def prove_no_deadlock(subject: Subject) -> Proof:
    """Check every await of the machine against the states that release it."""
    graph = _StateGraph(subject)
    graph.read(unfolded(subject.compiled.machine))
    stuck = next(graph.stuck(), None)
    if stuck:
        way, words = stuck
        return Proof(name=NO_DEADLOCK, holds=False, is_required=True, counter_example=way, words=words)
    awaited = sum(len(needs) for needs in graph.awaits.values())
    words = (
        f"{len(graph.awaits)} awaits of the machine wait for {awaited} records; each is kept, whatever becomes of its task, in "
        "the round of the await and where it looks, by a state that does not come after it"
    )
    return Proof(name=NO_DEADLOCK, holds=True, is_required=True, words=words)


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
