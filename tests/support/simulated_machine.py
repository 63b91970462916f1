"""Runs a program tree by a clock of its own, the way the state machine would: when every task starts and ends."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stepward.workflows.compiler.series_parallel.tree import Await, Par, Seq, Step, Task

Then = Callable[[], None]


@dataclass
class SimulatedMachine:
    """Parallels open all branches at once, a task takes its duration, an await parks until its tasks are done."""

    durations: Sequence[int]
    started: dict[int, int] = field(default_factory=dict)
    ended: dict[int, int] = field(default_factory=dict)
    entered: int = 0
    finished_at: int | None = None

    def __post_init__(self) -> None:
        self._now = 0
        self._ready: list[tuple[Step, Then]] = []
        self._due: list[tuple[int, int, Then]] = []
        self._parked: dict[int, list[tuple[tuple[int, ...], Then]]] = {}

    def run(self, step: Step) -> SimulatedMachine:
        """Run to the end; the settle state is entered when the tree is done."""
        self._ready.append((step, self._finish))
        while self._ready or self._due:
            while self._ready:
                self._enter(*self._ready.pop())
            if self._due:
                self._now, task, then = heapq.heappop(self._due)
                self._end(task, then)
        assert self.finished_at is not None, f"deadlock: {sorted(self._parked)} are awaited for ever"
        return self

    def _finish(self) -> None:
        self.entered += 1
        self.finished_at = self._now

    def _enter(self, step: Step, then: Then) -> None:
        match step:
            case Task(index):
                self.entered += 1
                assert index not in self.started, f"task {index} runs twice"
                self.started[index] = self._now
                heapq.heappush(self._due, (self._now + self.durations[index], index, then))
            case Await(needs):
                self.entered += 1
                self._park(needs, then)
            case Seq(steps):
                self._follow(steps, 0, then)
            case Par(branches):
                self.entered += 1
                left = list(branches)
                self._ready.extend((branch, lambda: self._closed(left, then)) for branch in branches)

    def _follow(self, steps: tuple[Step, ...], place: int, then: Then) -> None:
        last = place == len(steps) - 1
        self._ready.append((steps[place], then if last else lambda: self._follow(steps, place + 1, then)))

    def _closed(self, left: list[Step], then: Then) -> None:
        left.pop()
        if not left:
            then()

    def _park(self, needs: tuple[int, ...], then: Then) -> None:
        missing = next((need for need in needs if need not in self.ended), None)
        if missing is None:
            then()
        else:
            self._parked.setdefault(missing, []).append((needs, then))

    def _end(self, task: int, then: Then) -> None:
        self.ended[task] = self._now
        for needs, waiter in self._parked.pop(task, []):
            self._park(needs, waiter)
        then()
