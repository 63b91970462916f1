"""Which tasks share a latch: those that are awaited together must be recorded in one item, or nobody sees the last come."""

from __future__ import annotations

from stepward.workflow.order.steps import Step, awaits_of
from stepward.workflow.order.unions import Unions


def homes(step: Step, count: int) -> list[str | None]:
    """Number the latches in the order of their first tasks; a task that nobody awaits has none."""
    groups, awaited = Unions(count), set[int]()
    for each in awaits_of(step):
        awaited.update(each.needs)
        for need in each.needs[1:]:
            groups.join(each.needs[0], need)
    numbers: dict[int, str] = {}
    for task in sorted(awaited):
        numbers.setdefault(groups.of(task), str(len(numbers)))
    return [numbers[groups.of(task)] if task in awaited else None for task in range(count)]
