"""Finds the cheapest tree of a small graph by trying all of them: what `arrange` is measured against."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, reduce
from operator import and_, or_

from stepward.workflows.program.graphs import ancestors, bits
from tests.support.task_graphs import Needs


def cheapest(needs: Needs) -> int:
    """Count the parallels and awaits of the best tree there is; `done` is what a step may take for done when it starts."""
    past = ancestors(needs)

    @cache
    def cost(tasks: int, done: int) -> int:
        return min(one_after_another(tasks, done), side_by_side(tasks, done))

    @cache
    def one_after_another(tasks: int, done: int) -> int:
        if tasks.bit_count() == 1:
            return int(past[tasks.bit_length() - 1] & ~done != 0)
        options = [len(needs) * 2]
        shared = reduce(and_, (past[task] for task in bits(tasks)))
        if shared & ~done:
            options.append(1 + cost(tasks, done | shared))
        for first in _parts(tasks):
            if not first & ~reduce(and_, (past[task] for task in bits(tasks & ~first))):
                known = done | first | reduce(or_, (past[task] for task in bits(first)))
                options.append(cost(first, done) + cost(tasks & ~first, known))
        return min(options)

    @cache
    def side_by_side(tasks: int, done: int) -> int:
        return 1 + min((one_after_another(one, done) + branches(tasks & ~one, done) for one in _parts(tasks)),
                       default=len(needs) * 2)  # fmt: skip

    @cache
    def branches(tasks: int, done: int) -> int:
        alone = one_after_another(tasks, done)
        return min(
            [alone, *(one_after_another(one, done) + branches(tasks & ~one, done) for one in _parts(tasks))]
        )

    return cost(2 ** len(needs) - 1, 0)


def _parts(tasks: int) -> Iterator[int]:
    part = (tasks - 1) & tasks
    while part:
        yield part
        part = (part - 1) & tasks
