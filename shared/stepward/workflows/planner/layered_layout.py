"""Place nodes in layers so that few lines cross.

Positions are along the flow (`main`) and across it (`cross`); the caller decides which of the two goes down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from stepward.workflows.program.graphs import levels

SWEEPS: Final = 8
MOST_POINTS: Final = 6_000
"""Up to this many points long lines bend around nodes; beyond it they are straight."""


@dataclass
class Cell:
    """A place in a layer: a node, or (`node` is -1) a point that a long line passes."""

    node: int
    main: float
    cross: float
    layer: int
    at_main: float = 0.0
    at_cross: float = 0.0
    predecessors: list[int] = field(default_factory=list)
    successors: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class LayerLayout:
    """Corners of nodes, the points of each line between its ends, and the total size."""

    corners: list[tuple[float, float]]
    bends: list[list[tuple[float, float]]]
    main: float
    cross: float


def lay_out(
    sizes: Sequence[tuple[float, float]],
    links: Sequence[tuple[int, int, float]],
    gap_main: float,
    gap_cross: float,
) -> LayerLayout:
    """Place nodes by their sizes (main, cross) and acyclic links with their breadth."""
    cells, chains = _cells(sizes, links)
    rows = _rows(cells)
    _order(cells, rows)
    main = _along(cells, rows, gap_main)
    cross = _across(cells, rows, gap_cross)
    corners = [
        (cells[node].at_main, cells[node].at_cross - cells[node].cross / 2) for node in range(len(sizes))
    ]
    bends = [_bends(cells, rows, chain) for chain in chains]
    return LayerLayout(corners, bends, main, cross)


def _bends(cells: list[Cell], rows: list[list[int]], chain: list[int]) -> list[tuple[float, float]]:
    """Bend a line between layers only: within one it would cross deeper nodes."""
    edges = [_depth(cells, rows[cells[one].layer]) for one in chain]
    first, last = cells[chain[0]], cells[chain[-1]]
    between = [
        (edge, cells[one].at_cross)
        for one, ends in zip(chain[1:-1], edges[1:-1], strict=True)
        for edge in ends
    ]
    return [(edges[0][1], first.at_cross), *between, (edges[-1][0], last.at_cross)]


def _depth(cells: list[Cell], row: list[int]) -> tuple[float, float]:
    """Return the begin and the end of a layer."""
    return min(cells[one].at_main for one in row), max(cells[one].at_main + cells[one].main for one in row)


def _cells(
    sizes: Sequence[tuple[float, float]], links: Sequence[tuple[int, int, float]]
) -> tuple[list[Cell], list[list[int]]]:
    """Return a cell for each node, and one in each layer that a line passes."""
    needs: list[list[int]] = [[] for _ in sizes]
    for start, end, _ in links:
        needs[end].append(start)
    layer = {node: number for number, nodes in enumerate(levels(needs)) for node in nodes}
    cells = [Cell(node, *size, layer[node]) for node, size in enumerate(sizes)]
    is_many = sum(layer[end] - layer[start] for start, end, _ in links) > MOST_POINTS
    chains = []
    for start, end, broad in links:
        chain = [start]
        for number in range(layer[start] + 1, layer[start] + 1 if is_many else layer[end]):
            chain.append(len(cells))
            cells.append(Cell(-1, 0, max(4, broad), number))
        chain.append(end)
        chains.append(chain)
        for one, then in pairwise(chain):
            cells[one].successors.append(then)
            cells[then].predecessors.append(one)
    return cells, chains


def _rows(cells: list[Cell]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max((cell.layer for cell in cells), default=-1) + 1)]
    for index, cell in enumerate(cells):
        rows[cell.layer].append(index)
    return rows


def _order(cells: list[Cell], rows: list[list[int]]) -> None:
    """Sort each layer by its neighbours' positions, and keep the order with fewest crossings."""
    best, fewest = [list(row) for row in rows], _crossings(cells, rows)
    for sweep in range(SWEEPS if len(cells) <= MOST_POINTS else 2):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            place = {one: index for each in rows for index, one in enumerate(each)}
            row.sort(
                key=lambda one: _middle(
                    cells[one].predecessors if sweep % 2 == 0 else cells[one].successors, place, one
                )
            )
        found = _crossings(cells, rows)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    rows[:] = best


def _middle(near: list[int], place: dict[int, int], itself: int) -> float:
    return sum(place[one] for one in near) / len(near) if near else float(place[itself])


def _crossings(cells: list[Cell], rows: list[list[int]]) -> int:
    """Count the crossings between adjacent layers."""
    found = 0
    for row, following in pairwise(rows):
        place = {one: index for index, one in enumerate(following)}
        ends = [
            place[then]
            for one in row
            for then in sorted(cells[one].successors, key=lambda t: place.get(t, 0))
            if then in place
        ]
        found += _inversions(ends, len(following))
    return found


def _inversions(ends: list[int], size: int) -> int:
    tree, found = [0] * (size + 1), 0
    for seen, end in enumerate(ends):
        at, below = end + 1, 0
        while at:
            below += tree[at]
            at &= at - 1
        found += seen - below
        at = end + 1
        while at <= size:
            tree[at] += 1
            at += at & -at
    return found


def _along(cells: list[Cell], rows: list[list[int]], gap: float) -> float:
    at = 0.0
    for row in rows:
        deepest = max(cells[one].main for one in row)
        for one in row:
            cell = cells[one]
            if cell.node < 0:
                cell.main = deepest
            cell.at_main = at + (deepest - cell.main) / 2
        at += deepest + gap
    return max(0.0, at - gap)


def _across(cells: list[Cell], rows: list[list[int]], gap: float) -> float:
    """Move each cell towards its neighbours without a change of order, by least squares."""
    for row in rows:
        _place_row(cells, row, [0.0] * len(row), gap)
    for sweep in range(SWEEPS * 2):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = [_wish(cells, one, sweep) for one in row]
            _place_row(cells, row, wanted, gap)
    top = min((cell.at_cross - cell.cross / 2 for cell in cells), default=0.0)
    for cell in cells:
        cell.at_cross -= top
    return max((cell.at_cross + cell.cross / 2 for cell in cells), default=0.0)


def _wish(cells: list[Cell], one: int, sweep: int) -> float:
    cell = cells[one]
    near = (
        cell.predecessors + cell.successors
        if sweep >= SWEEPS
        else cell.predecessors
        if sweep % 2 == 0
        else cell.successors
    )
    return sum(cells[other].at_cross for other in near) / len(near) if near else cell.at_cross


def _place_row(cells: list[Cell], row: list[int], wanted: list[float], gap: float) -> None:
    """Place cells as near to their wishes as distances allow; colliding ones share a mean."""
    offsets, at = [], 0.0
    for index, one in enumerate(row):
        if index:
            before = cells[row[index - 1]]
            narrow = gap if before.node >= 0 or cells[one].node >= 0 else gap / 2
            at += before.cross / 2 + cells[one].cross / 2 + narrow
        offsets.append(at)
    blocks: list[list[float]] = []
    for wish, offset in zip(wanted, offsets, strict=True):
        blocks.append([wish - offset, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            mean, count = blocks.pop()
            other, others = blocks[-1]
            blocks[-1] = [(mean * count + other * others) / (count + others), count + others]
    starts = [mean for mean, count in blocks for _ in range(int(count))]
    for one, start, offset in zip(row, starts, offsets, strict=True):
        cells[one].at_cross = start + offset
