"""Keeps parallels from nesting without end: nobody can read a machine a hundred deep, and no reader of JSON takes one of thousands.

A parallel in which too many others nest is lifted, or one branch of two: it becomes a branch at the top that awaits what it
stood behind, and what stood behind it awaits it. That is at most two states more for every `DEEPEST` levels less.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from stepward.workflow.order.steps import Await, Par, Seq, Step, climb, par, seq, sinks

DEEPEST: Final = 24


@dataclass
class _Lifted:
    """A parallel on its way to the top, with what it has been found to stand behind."""

    step: Step
    behind: set[int] = field(default_factory=set)

    def branch(self) -> Step:
        return seq(Await(tuple(sorted(self.behind))), self.step) if self.behind else self.step


@dataclass(frozen=True)
class _Rest:
    """What is left of a step: `owed` are the ends of lifted parts, which whatever follows must await.

    `first` are the lifted ones that nothing in this step comes before: what they stand behind is found further out.
    """

    step: Step | None
    depth: int = 0
    owed: frozenset[int] = frozenset()
    first: tuple[_Lifted, ...] = ()


def shallow(step: Step) -> Step:
    """Lift parallels until none nests deeper than `DEEPEST`; most trees stay as they are."""
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
    """Count how many parallels nest."""
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
    """Choose what is lifted: of two branches the deeper one, for then the parallel itself is saved; of more, all."""
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
    return _Rest(seq(*made) if made else None, deep, owed, tuple(_without_behind(steps, inner)))


def _drop_awaits(made: list[Step]) -> None:
    """Take back awaits that stood before a lifted part: it has taken them along, and who follows awaits it."""
    while made and isinstance(made[-1], Await):
        made.pop()


def _without_behind(steps: tuple[Step, ...], inner: list[_Rest]) -> Iterable[_Lifted]:
    for place, part in enumerate(inner):
        for lifted in part.first:
            if not _put_behind(lifted, steps[:place]):
                yield lifted


def _put_behind(lifted: _Lifted, before: tuple[Step, ...]) -> bool:
    for step in reversed(before):
        if not isinstance(step, Await):
            lifted.behind.update(sinks(step))
            return True
        lifted.behind.update(step.needs)
    return False
