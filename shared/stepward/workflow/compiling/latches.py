"""Decides in which item each task's record is kept, so that whoever waits for several sees them in one write."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from stepward.domain.programs import Awaited
from stepward.workflow.order.homes import homes
from stepward.workflow.order.steps import Await, Step

MOST_SHARED: Final = 40
"""Tasks in one latch: an item may have 400 KB, and each write of it costs its whole size."""


@dataclass
class Latches:
    """One scope's latches: where records are, where further word is left, and who waits where."""

    of_task: dict[int, str] = field(default_factory=dict)
    shared: set[int] = field(default_factory=set)
    marks: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    awaits: dict[str, list[Awaited]] = field(default_factory=dict)
    """By latch."""
    latch_of_join: dict[str, str] = field(default_factory=dict)


def latches_of(scope: str, step: Step, paths: list[str], joins: list[tuple[str, Await]]) -> Latches:
    """Give every task its item; `joins` are the awaits with the names of their states.

    Tasks that are awaited together share one. Where that would bring too many together, each join has an item of its
    own, in which its tasks leave word after they have kept their record.
    """
    found, numbers = Latches(), homes(step, len(paths))
    sizes = Counter(number for number in numbers if number is not None)
    for index, (path, number) in enumerate(zip(paths, numbers, strict=True)):
        is_shared = number is not None and sizes[number] <= MOST_SHARED
        found.of_task[index] = _shared(scope, str(number)) if is_shared else path
        if is_shared:
            found.shared.add(index)
    for name, join in joins:
        together = {found.of_task[need] for need in join.needs}
        latch = together.pop() if len(together) == 1 else f"{name.partition(' ')[0]}.join"
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
