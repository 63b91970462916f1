"""Choose the item that keeps each task's record, so that a join sees one write."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from stepward.domain.programs import Awaited
from stepward.workflows.compiler.series_parallel.tree import Await, Step, awaits_of
from stepward.workflows.program.graphs import UnionFind
from stepward.workflows.program.names import joined, path_of

# Latches of a scope.


MOST_SHARED: Final = 40
"""Tasks in one latch: an item may have 400 KB, and each write of it costs its whole size."""


@dataclass
class Latches:
    """The latches of one scope: where records and marks are written, and the awaits."""

    of_task: dict[int, str] = field(default_factory=dict)
    shared: set[int] = field(default_factory=set)
    marks: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    awaits: dict[str, list[Awaited]] = field(default_factory=dict)
    """By latch."""
    latch_of_join: dict[str, str] = field(default_factory=dict)


def latches_of(scope: str, step: Step, paths: list[str], joins: list[tuple[str, Await]]) -> Latches:
    """Choose the latch of every task.

    Tasks that are awaited together share one. Where that would be too many, each join has a latch of its own, in which
    its tasks leave a mark after they have written their record.

    Args:
        scope: The body's path, "" for the workflow itself.
        step: The scope's decomposition.
        paths: Its tasks.
        joins: The awaits, with the names of their states.
    """
    found, numbers = Latches(), latch_groups(step, len(paths))
    sizes = Counter(number for number in numbers if number is not None)
    for index, (path, number) in enumerate(zip(paths, numbers, strict=True)):
        is_shared = number is not None and sizes[number] <= MOST_SHARED
        found.of_task[index] = _shared(scope, str(number)) if is_shared else path
        if is_shared:
            found.shared.add(index)
    for name, join in joins:
        together = {found.of_task[need] for need in join.needs}
        latch = together.pop() if len(together) == 1 else joined(path_of(name), "join")
        found.latch_of_join[name] = latch
        found.awaits.setdefault(latch, []).append(
            Awaited(join=name, needs=tuple(paths[n] for n in join.needs))
        )
        for need in join.needs:
            if found.of_task[need] != latch and latch not in found.marks[need]:
                found.marks[need].append(latch)
    return found


def _shared(scope: str, number: str) -> str:
    return f"{scope}.{number}" if scope else number


# Groups of tasks that are awaited together.


def latch_groups(step: Step, count: int) -> list[str | None]:
    """Number the latches in the order of their first tasks; a task without an await has none."""
    groups, awaited = UnionFind(count), set[int]()
    for each in awaits_of(step):
        awaited.update(each.needs)
        for need in each.needs[1:]:
            groups.join(each.needs[0], need)
    numbers: dict[int, str] = {}
    for task in sorted(awaited):
        numbers.setdefault(groups.of(task), str(len(numbers)))
    return [numbers[groups.of(task)] if task in awaited else None for task in range(count)]
