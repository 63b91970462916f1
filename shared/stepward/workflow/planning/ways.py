"""A state machine's ways: which of them lead back, so that the others have an order, levels and a longest way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def ways_back(ways: Mapping[str, Sequence[str]], start: str) -> set[tuple[str, str]]:
    """Find the ways that lead to a task which the run has come by already; with a stack, since ways may be long."""
    back: set[tuple[str, str]] = set()
    is_open: dict[str, bool] = {}
    for root in (start, *ways):
        if root in is_open or root not in ways:
            continue
        is_open[root] = True
        trail = [(root, iter(ways[root]))]
        while trail:
            task, ahead = trail[-1]
            to = next(ahead, None)
            if to is None:
                is_open[task] = False
                trail.pop()
            elif is_open.get(to):
                back.add((task, to))
            elif to not in is_open and to in ways:
                is_open[to] = True
                trail.append((to, iter(ways[to])))
    return back
