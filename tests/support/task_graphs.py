"""Graphs of tasks for tests: the kept ones of `tests/graphs`, and drawn ones."""

from __future__ import annotations

import json
import random
from pathlib import Path

from hypothesis import strategies as st

Needs = list[list[int]]
KEPT = sorted((Path(__file__).parents[1] / "graphs").glob("*.json"))


def kept(name: str) -> Needs:
    """Read a kept graph, its tasks numbered in their order in the file."""
    graph = json.loads((Path(__file__).parents[1] / "graphs" / f"{name}.json").read_text())
    number = {task: index for index, task in enumerate(graph["needs"])}
    return [[number[need] for need in needs] for needs in graph["needs"].values()]


@st.composite
def drawn(draw: st.DrawFn, most: int = 28) -> Needs:
    """Draw a graph whose numbers say nothing about the order; the fewer bytes are drawn in one place, the denser it is."""
    count = draw(st.integers(1, most))
    size = count * count // 8 + 1
    edges = int.from_bytes(draw(st.binary(min_size=size, max_size=size)))
    for _ in range(draw(st.integers(0, 3))):
        edges &= int.from_bytes(draw(st.binary(min_size=size, max_size=size)))
    reach = draw(st.integers(1, count))
    needs = [
        [need for need in range(max(0, task - reach), task) if edges >> (task * count + need) & 1]
        for task in range(count)
    ]
    return renumbered(needs, draw(st.permutations(range(count))))


def scattered(seed: int, count: int, most_needs: int, reach: int) -> Needs:
    """Make a large graph by a seed: each task needs a few of those shortly before it."""
    chance = random.Random(seed)
    needs: Needs = [
        sorted({chance.randrange(max(0, task - reach), task) for _ in range(chance.randint(0, most_needs))})
        if task
        else []
        for task in range(count)
    ]
    order = list(range(count))
    chance.shuffle(order)
    return renumbered(needs, order)


def renumbered(needs: Needs, numbers: list[int]) -> Needs:
    """Give every task another number."""
    moved: Needs = [[] for _ in needs]
    for task, found in enumerate(needs):
        moved[numbers[task]] = [numbers[need] for need in found]
    return moved
