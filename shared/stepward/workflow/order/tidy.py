"""Makes a tree plain, and takes back awaits and parallels that its making needed and its running does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

from stepward.workflow.order.closure import bits, mask_of
from stepward.workflow.order.steps import Await, Par, Seq, Step, climb, par, parts, seq, sinks, tasks_of
from stepward.workflow.order.unions import Unions


@dataclass(frozen=True)
class _Branch:
    """A step of a parallel with the mask of its tasks."""

    step: Step
    tasks: int

    @property
    def steps(self) -> tuple[Step, ...]:
        return parts(self.step) if isinstance(self.step, Seq) else (self.step,)

    @property
    def awaited(self) -> tuple[int, ...]:
        """Name what it waits for before it does anything."""
        first = self.steps[0]
        return first.needs if isinstance(first, Await) else ()


def tidy(step: Step, past: Sequence[int]) -> Step:
    """Rewrite every parallel from the innermost outwards, with its branches in the order of their first tasks."""

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
    """Let the branches of a parallel before an await stand beside it: the await can wait for them too."""
    first, *then = branch.steps
    if not (isinstance(first, Par) and then and isinstance(then[0], Await)):
        return [branch]
    freed = [_leaf(inner) for inner in parts(first)]
    rest = seq(Await(sinks(first)), *then)
    tasks = branch.tasks & ~reduce(lambda mask, part: mask | part.tasks, freed, 0)
    return [piece for part in freed for piece in _dissolved(part)] + [_Branch(rest, tasks)]


def _adopted(branches: list[_Branch], past: Sequence[int]) -> list[_Branch]:
    """Let a branch that begins with an await go on where one that only leads to it ends."""
    groups, made = Unions(len(branches)), dict(enumerate(branches))
    homes = _homes(branches)
    for place in range(len(branches)):
        here = groups.of(place)
        near = {groups.of(homes[need]) for need in made[here].awaited if need in homes}
        host = _host(here, near if len(made) != 2 else set(made), made, past)
        if host is not None:
            joined = _joined(made.pop(host), made.pop(here))
            made[groups.join(host, here)] = joined
    return list(made.values())


def _homes(branches: list[_Branch]) -> dict[int, int]:
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
