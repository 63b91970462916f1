"""Folding that loses nothing: what follows alone becomes a sequence, what stands alike becomes a parallel.

A graph that is series-parallel folds into one step; of any other, every series-parallel part does, and one await in front
of a part serves all of its heads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from stepward.workflow.order.modules import Modules


def fold(graph: Modules, changed: Iterable[int]) -> None:
    """Fold wherever something changed, until nothing does; each module waits in the queue once."""
    queue = _Queue(changed)
    while (key := queue.take()) is not None:
        if key in graph.at:
            _fold_at(graph, key, queue)


def _fold_at(graph: Modules, key: int, queue: _Queue) -> None:
    while (pair := _pair(graph, key)) is not None:
        key, moved = graph.chain(*pair)
        queue.put(moved)
    twin = graph.twin_of(key)
    if twin is not None:
        queue.put({twin} | graph.join_twins(twin, key))


def _pair(graph: Modules, key: int) -> tuple[int, int] | None:
    module = graph.at[key]
    if len(module.below) == 1:
        (then,) = module.below
        if len(graph.at[then].above) == 1:
            return key, then
    if len(module.above) == 1:
        (first,) = module.above
        if len(graph.at[first].below) == 1:
            return first, key
    return None


class _Queue:
    """First come, first served, so a module with many edges is compared once a round and not once an edge."""

    def __init__(self, keys: Iterable[int]) -> None:
        self._line: deque[int] = deque()
        self._in_line: set[int] = set()
        self.put(keys)

    def put(self, keys: Iterable[int]) -> None:
        for key in sorted(keys):
            if key not in self._in_line:
                self._in_line.add(key)
                self._line.append(key)

    def take(self) -> int | None:
        if not self._line:
            return None
        key = self._line.popleft()
        self._in_line.discard(key)
        return key
