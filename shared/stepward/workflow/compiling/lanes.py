"""Holds a graph to as many tasks at once as its document allows: tasks are laid out in so many lanes, one after another."""

from __future__ import annotations

from collections.abc import Sequence

from stepward.workflow.order.closure import in_order
from stepward.workflow.order.levels import width

Needs = list[list[int]]


def in_lanes(needs: Sequence[Sequence[int]], most: int | None) -> Needs:
    """Add to each task's needs the one before it in its lane, where the graph is wider than that.

    The lanes are chosen as if all tasks took equally long: each task goes where it can begin first. Lanes cover the
    graph, so that no more than `most` tasks can ever run at once; a lane waits for its own tasks even if another is idle.
    """
    given = [list(needed) for needed in needs]
    if most is None or most >= len(given):
        return given
    wide = width(given)
    if wide is not None and wide <= most:
        return given
    ends = [0] * len(given)
    free = [0] * most
    last: list[int | None] = [None] * most
    for task in in_order(given):
        ready = max((ends[need] for need in given[task]), default=0)
        lane = min(range(most), key=lambda one: (max(free[one], ready), -free[one], one))
        before = last[lane]
        ends[task] = max(free[lane], ready) + 1
        free[lane], last[lane] = ends[task], task
        if before is not None and before not in given[task]:
            given[task].append(before)
    return given
