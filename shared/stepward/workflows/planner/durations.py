"""Estimate how long a workflow takes, scope by scope."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from pydantic import BaseModel, ConfigDict

from stepward.domain.programs import PlannedTask, Program
from stepward.tasks.catalog import type_of
from stepward.workflows.program.graphs import (
    back_edges,
    barrier_makespan,
    critical_path,
    levels,
    limit_width,
    width,
)
from stepward.workflows.program.iteration_bounds import IterationBounds, at_once, is_body
from stepward.workflows.program.tasks import body_of


class ScopePlan(BaseModel):
    """The order of one scope's tasks: the workflow's own, or those of a body's iteration.

    Tasks are paths.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    body: str = ""
    levels: tuple[tuple[str, ...], ...]
    """Levels by Kahn's algorithm: each task is in the first level that its needs allow."""
    critical_path: tuple[str, ...]
    makespan_ms: int
    """The critical path's: no task waits for what it does not need; lanes count as needs."""
    barrier_makespan_ms: int
    """The duration if each level waited for all of the one before."""
    width: int | None
    """The most tasks that can run at once; None for graphs too large to count it."""

    @property
    def parallelism(self) -> tuple[int, ...]:
        """The number of tasks of each level."""
        return tuple(len(level) for level in self.levels)


@dataclass
class Durations:
    """The plans of a program's scopes, the innermost first.

    A body takes as long as its iterations.
    """

    program: Program
    rounds: IterationBounds

    def __post_init__(self) -> None:
        self.durations_ms: dict[str, int] = {}
        self.scopes: dict[str, ScopePlan] = {}
        inside: dict[str, list[str]] = {"": []}
        for path, planned in self.program.tasks.items():
            inside.setdefault(body_of(self.program, path), []).append(path)
            if is_body(planned.task):
                inside.setdefault(path, [])
        for body in reversed(list(inside)):
            self.scopes[body] = self._scope(body, inside[body])

    def _scope(self, body: str, paths: list[str]) -> ScopePlan:
        for path in paths:
            self.durations_ms[path] = self._takes_ms(self.program.tasks[path])
        place = {path: index for index, path in enumerate(paths)}
        needs = self._needs(body, place)
        most = None if body or self._is_machine(body) else self.program.definition.max_parallel
        weights = [self.durations_ms[path] for path in paths]
        longest, wide = critical_path(limit_width(needs, most), weights), width(needs)
        return ScopePlan(
            body=body,
            levels=tuple(tuple(paths[task] for task in level) for level in levels(needs)),
            critical_path=tuple(paths[task] for task in longest.path),
            makespan_ms=longest.length,
            barrier_makespan_ms=barrier_makespan(needs, weights),
            width=1 if self._is_machine(body) else min(wide, most or wide) if wide is not None else most,
        )

    def _needs(self, body: str, place: dict[str, int]) -> list[list[int]]:
        if self._is_machine(body):
            return forward_needs(self.program, place)
        tasks = self.program.tasks
        return [[place[need] for need in tasks[path].needs if need in place] for path in place]

    def _is_machine(self, body: str) -> bool:
        return not body and self.program.definition.is_state_machine

    def _takes_ms(self, planned: PlannedTask) -> int:
        task, kind = planned.task, type_of(planned.task)
        typical, seconds = kind.typical_ms, kind.fixed_s(task)
        if seconds is not None:
            return seconds * 1000
        if not is_body(task):
            return typical if task.timeout_s is None else min(typical, task.timeout_s * 1000)
        count, once_ms = self.rounds.within(planned.path).expected, self.scopes[planned.path].makespan_ms
        return typical + ceil(count / at_once(task)) * once_ms


def forward_needs(program: Program, place: dict[str, int]) -> list[list[int]]:
    """Return the graph of a state machine without its back edges."""
    ways = {task.id: [way.to for way in task.next if way.to in place] for task in program.definition.tasks}
    back = back_edges(ways, program.definition.start or "")
    needs: list[list[int]] = [[] for _ in place]
    for task, found in ways.items():
        for to in found:
            if (task, to) not in back:
                needs[place[to]].append(place[task])
    return needs
