"""The graphs that `bench workflows` runs, and what their makespans should be: units of time that a task's name says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any
from zlib import crc32

from infra.local.faults import LaptopError

OWN = Path(__file__).parent / "graphs"
_MOST_UNITS = 5
_TASK = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,47}")


@dataclass(frozen=True)
class Graph:
    """Tasks by id with those that each needs, in a topological order."""

    name: str
    needs: dict[str, tuple[str, ...]]

    @property
    def edges(self) -> int:
        """How many needs there are."""
        return sum(map(len, self.needs.values()))

    @cached_property
    def units(self) -> dict[str, int]:
        """How long each task takes: drawn from its name, so that every bench draws the same."""
        return {task: crc32(task.encode()) % _MOST_UNITS + 1 for task in self.needs}

    @property
    def critical_path(self) -> int:
        """The longest chain in units: no machine can be faster."""
        return max(self.finishes().values())

    @property
    def barrier_makespan(self) -> int:
        """What it would take if each level waited for the whole level before it."""
        longest: dict[int, int] = {}
        levels: dict[str, int] = {}
        for task, needs in self.needs.items():
            levels[task] = level = 1 + max((levels[need] for need in needs), default=-1)
            longest[level] = max(longest.get(level, 0), self.units[task])
        return sum(longest.values())

    def finishes(self) -> dict[str, int]:
        """When each task is over if it starts as soon as what it needs is."""
        over: dict[str, int] = {}
        for task, needs in self.needs.items():
            over[task] = self.units[task] + max((over[need] for need in needs), default=0)
        return over

    def may_run(self, done: set[str]) -> set[str]:
        """Find the tasks that may run, or have run, once some are done."""
        return {task for task, needs in self.needs.items() if done.issuperset(needs)}


def read_graphs(folder: Path) -> list[Graph]:
    """Read every graph of a folder; a file that holds none is named."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise LaptopError(f"{folder} holds no graph: give a folder of .json files with `name` and `needs`")
    return [_read(file) for file in files]


def _read(file: Path) -> Graph:
    try:
        return graph_of(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LaptopError(f"{file} is no graph: {error}") from error


def graph_of(document: dict[str, Any]) -> Graph:
    """Take a graph from its document; raises `ValueError` for one that cannot run."""
    needs = {str(task): tuple(map(str, named)) for task, named in document["needs"].items()}
    unknown = sorted({need for named in needs.values() for need in named} - needs.keys())
    wrong = sorted(task for task in needs if not _TASK.fullmatch(task))
    if not needs or unknown or wrong:
        raise ValueError(
            f"it has no tasks, needs unknown ones {unknown} or has ids that no task can have {wrong}"
        )
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise ValueError(f"its tasks need each other in a circle: {error.args[1]}") from error
    return Graph(str(document["name"]), {task: needs[task] for task in order})
