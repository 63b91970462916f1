"""Define the decomposition tree of tasks, awaits, sequences and parallels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar


@dataclass(frozen=True)
class Task:
    """One task."""

    index: int


@dataclass(frozen=True)
class Await:
    """A point that waits for tasks, wherever in the tree they run."""

    needs: tuple[int, ...]


@dataclass(frozen=True)
class Seq:
    """Steps one after another."""

    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Par:
    """Branches in parallel; what follows waits for all of them."""

    branches: tuple[Step, ...]


Step: TypeAlias = Task | Await | Seq | Par
R = TypeVar("R")


class Counts(NamedTuple):
    """The entered states of a tree, by kind."""

    tasks: int
    parallels: int
    awaits: int


def parts(step: Step) -> tuple[Step, ...]:
    """Return the parts of a step, with nested steps of the same kind flattened."""
    found: list[Step] = []
    ahead = list(reversed(_inner(step)))
    while ahead:
        first = ahead.pop()
        if type(first) is type(step):
            ahead.extend(reversed(_inner(first)))
        else:
            found.append(first)
    return tuple(found)


def _inner(step: Step) -> tuple[Step, ...]:
    match step:
        case Seq(steps):
            return steps
        case Par(branches):
            return branches
        case _:
            return ()


def climb(step: Step, visit: Callable[[Step, list[R]], R]) -> R:
    """Visit every step after its parts, with the results of their visits."""
    ahead: list[tuple[Step, int]] = [(step, -1)]
    given: list[R] = []
    while ahead:
        here, count = ahead.pop()
        inner = parts(here) if count < 0 else ()
        if inner:
            ahead.append((here, len(inner)))
            ahead.extend((part, -1) for part in reversed(inner))
        else:
            cut = len(given) - max(count, 0)
            given[cut:] = [visit(here, given[cut:])]
    return given[0]


def seq(*steps: Step) -> Step:
    """Return steps in sequence; adjacent awaits are merged, for each is a state."""
    made: list[Step] = []
    for step in parts(Seq(steps)):
        last = made[-1] if made else None
        if isinstance(step, Await) and isinstance(last, Await):
            made[-1] = Await(tuple(sorted({*last.needs, *step.needs})))
        else:
            made.append(step)
    return made[0] if len(made) == 1 else Seq(tuple(made))


def par(*branches: Step) -> Step:
    """Return branches in parallel."""
    made = parts(Par(branches))
    return made[0] if len(made) == 1 else Par(made)


def sinks(step: Step) -> tuple[int, ...]:
    """Return the last tasks of a step: when they are done, all of it is."""
    found: list[int] = []
    ahead: list[Step] = [step]
    while ahead:
        match ahead.pop():
            case Task(index):
                found.append(index)
            case Seq(steps):
                ahead.append(steps[-1])
            case Par(branches):
                ahead.extend(branches)
    return tuple(sorted(found))


def tasks_of(step: Step) -> tuple[int, ...]:
    """Return the tasks of a step, in the tree's order."""
    return tuple(part.index for part in _leaves(step) if isinstance(part, Task))


def _leaves(step: Step) -> Iterator[Task | Await]:
    ahead = [step]
    while ahead:
        first = ahead.pop()
        if isinstance(first, Task | Await):
            yield first
        ahead.extend(reversed(_inner(first)))


def awaits_of(step: Step) -> tuple[Await, ...]:
    """Return the awaits of a step, in the tree's order."""
    return tuple(part for part in _leaves(step) if isinstance(part, Await))


def counts(step: Step) -> Counts:
    """Count the states of a tree."""
    parallels, ahead = 0, [step]
    while ahead:
        first = ahead.pop()
        parallels += isinstance(first, Par)
        ahead.extend(_inner(first))
    return Counts(len(tasks_of(step)), parallels, len(awaits_of(step)))
