"""Simplify a tree: fewer awaits and parallels, and less nesting.

A parallel that is nested too deep, or one of its two branches, is lifted: it becomes a branch at the top that awaits
its predecessors, and its successors await it. That is at most two states more for every `DEEPEST` levels less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import Final

from stepward.workflows.compiler.series_parallel.tree import (
    Await,
    Par,
    Seq,
    Step,
    climb,
    par,
    parts,
    seq,
    sinks,
    tasks_of,
)
from stepward.workflows.program.graphs import UnionFind, bits, mask_of

# Awaits and parallels that are not needed.


@dataclass(frozen=True)
class _Branch:
    """A branch of a parallel with the mask of its tasks."""

    step: Step
    tasks: int

    @property
    def steps(self) -> tuple[Step, ...]:
        return parts(self.step) if isinstance(self.step, Seq) else (self.step,)

    @property
    def awaited(self) -> tuple[int, ...]:
        """The tasks that it awaits before it does anything."""
        first = self.steps[0]
        return first.needs if isinstance(first, Await) else ()


def simplify(step: Step, past: Sequence[int]) -> Step:
    """Simplify every parallel from the innermost outwards, with branches in document order."""

    def visit(here: Step, inner: list[_Branch]) -> _Branch:
        if isinstance(here, Par):
            return _side_by_side(inner, past)
        tasks = reduce(lambda mask, part: mask | part.tasks, inner, 0)
        return _Branch(seq(*(part.step for part in inner)), tasks) if inner else _leaf(here)

    return climb(step, visit).step


def _leaf(step: Step) -> _Branch:
    return _Branch(step, mask_of(tasks_of(step)))


def _side_by_side(branches: list[_Branch], past: Sequence[int]) -> _Branch:
    made, before = branches, -1
    while len(made) != before:
        before = len(made)
        made = _adopted([part for branch in made for part in _dissolved(branch)], past)
    made.sort(key=lambda branch: branch.tasks & -branch.tasks)
    return _Branch(par(*(branch.step for branch in made)), reduce(lambda mask, b: mask | b.tasks, made, 0))


def _dissolved(branch: _Branch) -> list[_Branch]:
    """Move the branches of a parallel before an await beside it: the await covers them too."""
    first, *then = branch.steps
    if not (isinstance(first, Par) and then and isinstance(then[0], Await)):
        return [branch]
    freed = [_leaf(inner) for inner in parts(first)]
    rest = seq(Await(sinks(first)), *then)
    tasks = branch.tasks & ~reduce(lambda mask, part: mask | part.tasks, freed, 0)
    return [piece for part in freed for piece in _dissolved(part)] + [_Branch(rest, tasks)]


def _adopted(branches: list[_Branch], past: Sequence[int]) -> list[_Branch]:
    """Append a branch that begins with an await to one that only leads to it."""
    groups, made = UnionFind(len(branches)), dict(enumerate(branches))
    branch_of = _branch_of_awaited(branches)
    for place in range(len(branches)):
        here = groups.of(place)
        near = {groups.of(branch_of[need]) for need in made[here].awaited if need in branch_of}
        host = _host(here, near if len(made) != 2 else set(made), made, past)
        if host is not None:
            joined = _joined(made.pop(host), made.pop(here))
            made[groups.join(host, here)] = joined
    return list(made.values())


def _branch_of_awaited(branches: list[_Branch]) -> dict[int, int]:
    awaited = reduce(lambda mask, branch: mask | mask_of(branch.awaited), branches, 0)
    return {
        task: place for place, branch in enumerate(branches) if branch.tasks & awaited
        for task in bits(branch.tasks & awaited)
    }  # fmt: skip


def _host(here: int, near: set[int], made: dict[int, _Branch], past: Sequence[int]) -> int | None:
    awaited = mask_of(made[here].awaited)
    near = near - {here}
    if not awaited or not near:
        return None
    before = reduce(and_, (past[task] for task in tasks_of(made[here].steps[1])))
    fit = [place for place in near if not made[place].tasks & ~before]
    return max(fit, key=lambda place: _nearness(made[place], awaited, place), default=None)


def _nearness(branch: _Branch, awaited: int, place: int) -> tuple[int, int, int]:
    return (branch.tasks & awaited).bit_count(), branch.tasks.bit_count(), -place


def _joined(host: _Branch, guest: _Branch) -> _Branch:
    left = tuple(need for need in guest.awaited if not host.tasks >> need & 1)
    between = [Await(left)] if left else []
    return _Branch(seq(host.step, *between, *guest.steps[1:]), host.tasks | guest.tasks)


# Depth.


DEEPEST: Final = 24


@dataclass
class _Lifted:
    """A lifted parallel, with the tasks that it follows."""

    step: Step
    predecessors: set[int] = field(default_factory=set)

    def branch(self) -> Step:
        return seq(Await(tuple(sorted(self.predecessors))), self.step) if self.predecessors else self.step


@dataclass(frozen=True)
class _Rest:
    """What is left of a step after lifting.

    `owed` are the ends of lifted parts, which the next step must await. `first` are the lifted parts without a
    predecessor in this step: what they follow is found further out.
    """

    step: Step | None
    depth: int = 0
    owed: frozenset[int] = frozenset()
    first: tuple[_Lifted, ...] = ()


def flatten(step: Step) -> Step:
    """Lift parallels until none is nested deeper than `DEEPEST`; most trees stay as they are."""
    lifted: list[_Lifted] = []

    def visit(here: Step, inner: list[_Rest]) -> _Rest:
        match here:
            case Seq(steps):
                return _follow(steps, inner)
            case Par():
                return _beside(inner, lifted, is_top=here is step)
            case _:
                return _Rest(here)

    rest = climb(step, visit)
    branches = [part.branch() for part in lifted]
    return par(*([rest.step] if rest.step else []), *branches) if lifted else step


def depth(step: Step) -> int:
    """Return how deep parallels are nested."""
    return climb(step, lambda here, inner: max(inner, default=0) + isinstance(here, Par))


def _beside(inner: list[_Rest], lifted: list[_Lifted], *, is_top: bool) -> _Rest:
    owed = frozenset(end for part in inner for end in part.owed)
    first = tuple(each for part in inner for each in part.first)
    left = [(part.step, part.depth) for part in inner if part.step is not None]
    if is_top or _depth_of(left) < DEEPEST - 1:
        return _Rest(par(*(step for step, _ in left)) if left else None, _depth_of(left), owed, first)
    up, left = _split(left)
    lifted.append(up)
    owed |= set(sinks(up.step))
    return _Rest(*left[0], owed, (*first, up)) if left else _Rest(None, 0, owed, (*first, up))


def _depth_of(branches: list[tuple[Step, int]]) -> int:
    return max((deep for _, deep in branches), default=0) + (len(branches) > 1)


def _split(branches: list[tuple[Step, int]]) -> tuple[_Lifted, list[tuple[Step, int]]]:
    """Choose what is lifted: of two branches the deeper one, else all.

    With one of two branches gone, the parallel itself is saved.
    """
    if len(branches) > 2:
        return _Lifted(par(*(step for step, _ in branches))), []
    ordered = sorted(branches, key=lambda branch: branch[1])
    return _Lifted(ordered[-1][0]), ordered[:-1]


def _follow(steps: tuple[Step, ...], inner: list[_Rest]) -> _Rest:
    made: list[Step] = []
    owed: frozenset[int] = frozenset()
    for part in inner:
        if part.step is None:
            _drop_awaits(made)
        elif owed:
            made.append(Await(tuple(sorted(owed))))
        if part.step is not None:
            made.append(part.step)
        owed = part.owed
    _drop_awaits(made)
    deep = max(part.depth for part in inner)
    return _Rest(seq(*made) if made else None, deep, owed, tuple(_without_predecessors(steps, inner)))


def _drop_awaits(made: list[Step]) -> None:
    """Remove awaits before a lifted part, which took them along; its successors await it."""
    while made and isinstance(made[-1], Await):
        made.pop()


def _without_predecessors(steps: tuple[Step, ...], inner: list[_Rest]) -> Iterable[_Lifted]:
    for place, part in enumerate(inner):
        for lifted in part.first:
            if not _add_predecessors(lifted, steps[:place]):
                yield lifted


def _add_predecessors(lifted: _Lifted, before: tuple[Step, ...]) -> bool:
    for step in reversed(before):
        if not isinstance(step, Await):
            lifted.predecessors.update(sinks(step))
            return True
        lifted.predecessors.update(step.needs)
    return False
