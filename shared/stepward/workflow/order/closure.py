"""Who comes before whom: a graph's closure as bitmasks, and its reduction to the needs that no other implies."""

from __future__ import annotations

from collections.abc import Sequence


class Cycle(ValueError):
    """Tasks need each other in a ring, so none could start; `path` names them in order, the first again at the end."""

    def __init__(self, path: tuple[int, ...]) -> None:
        super().__init__("tasks need each other: " + " -> ".join(map(str, path)))
        self.path = path


def ancestors(needs: Sequence[Sequence[int]]) -> list[int]:
    """Tell for each task who must be done before it, as a bitmask; every later question is one operation on these."""
    past = [0] * len(needs)
    for task in in_order(needs):
        for need in needs[task]:
            past[task] |= past[need] | 1 << need
    return past


def in_order(needs: Sequence[Sequence[int]]) -> list[int]:
    """Put every task behind its needs without recursion, since a chain may be ten thousand long."""
    ordered: list[int] = []
    done = [False] * len(needs)
    for root in range(len(needs)):
        if not done[root]:
            _finish(root, needs, done, ordered)
    return ordered


def _finish(root: int, needs: Sequence[Sequence[int]], done: list[bool], ordered: list[int]) -> None:
    opened = {root: iter(needs[root])}
    while opened:
        task = next(reversed(opened))
        ahead = next((need for need in opened[task] if not done[need]), None)
        if ahead is None:
            del opened[task]
            done[task] = True
            ordered.append(task)
        elif ahead in opened:
            raise Cycle(_ring(list(opened), ahead))
        else:
            opened[ahead] = iter(needs[ahead])


def _ring(trail: list[int], again: int) -> tuple[int, ...]:
    # The trail goes from a task to what it needs; a ring reads better in the order in which it would have to run.
    ring = trail[trail.index(again) :][::-1]
    return (ring[-1], *ring)


def reduced(needs: Sequence[Sequence[int]], past: Sequence[int]) -> list[tuple[int, ...]]:
    """Keep the needs that no other need implies: only they cost a state."""
    return [_direct(each, past) for each in needs]


def _direct(needs: Sequence[int], past: Sequence[int]) -> tuple[int, ...]:
    implied = 0
    for need in needs:
        implied |= past[need]
    return tuple(sorted({need for need in needs if not implied >> need & 1}))


def bits(mask: int) -> list[int]:
    """Name the tasks of a mask, lowest first; by its digits, for shifting a mask of thousands is slow."""
    return [task for task, digit in enumerate(reversed(f"{mask:b}")) if digit == "1"]


def mask_of(tasks: Sequence[int]) -> int:
    """Make a mask of tasks."""
    mask = 0
    for task in tasks:
        mask |= 1 << task
    return mask
