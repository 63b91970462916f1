"""Bound how often each task runs, by the iterations of the bodies around it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property

from stepward.domain.bounds import ONE, Bound
from stepward.domain.chunks import count_chunks, lanes_of
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.catalog import settings_of, type_of
from stepward.workflows.program.tasks import body_of, fails_the_run


@dataclass(frozen=True)
class IterationBounds:
    """The bounds of iterations, runs and chunks of one program's tasks."""

    program: Program

    def of(self, path: str) -> Bound:
        """Return how often a task's state is entered: the product of the bodies around it."""
        return self._of[path]

    def within(self, body: str) -> Bound:
        """Return how often a body iterates each time that its task is entered."""
        task = self.program.tasks[body].task
        each = rounds_of(task)
        surely = not self.may_not_run(body) and not self._may_fail_softly(body)
        return each if surely else each.model_copy(update={"least": 0})

    def chunks(self, path: str) -> Bound:
        """Return how many executions a large foreach needs each time that it is entered."""
        most = self.program.chunks.get(path)
        if most is None:
            return Bound()
        lanes = lanes_of(at_once(self.program.tasks[path].task))
        return self.within(path).of_each(lambda items: count_chunks(items, most, lanes))

    def may_not_run(self, path: str) -> bool:
        """Return whether a task may be skipped in a run that completes."""
        return self._skippable[path]

    def runs(self, path: str) -> Bound:
        """Return how often a task does its work, which it does not when it is skipped."""
        entered = self.of(path)
        return entered.model_copy(update={"least": 0}) if self.may_not_run(path) else entered

    @cached_property
    def _of(self) -> dict[str, Bound]:
        found: dict[str, Bound] = {}
        visits = self._visits
        for path in self.program.tasks:
            body = body_of(self.program, path)
            found[path] = found[body] * self.within(body) if body else visits.get(path, ONE)
        return found

    @cached_property
    def _bodies(self) -> tuple[str, ...]:
        return tuple(path for path in self.program.bodies if path)

    @cached_property
    def _skippable(self) -> dict[str, bool]:
        """Whether each task may be skipped, computed in the order of needs."""
        found: dict[str, bool] = {}
        for path in self._ordered:
            found[path] = self._may_skip(self.program.tasks[path], found)
        return found

    def _may_skip(self, planned: PlannedTask, found: dict[str, bool]) -> bool:
        if planned.whens or planned.gates:
            return True
        if planned.task.run_when == "always" or not planned.needs:
            return False
        ill = [found.get(need, True) or self._may_fail_softly(need) for need in planned.needs]
        return all(ill) if planned.task.run_when == "any_done" else any(ill)

    def _may_fail_softly(self, path: str) -> bool:
        planned = self.program.tasks[path]
        return planned.task.fallback is None and not fails_the_run(self.program, planned)

    @cached_property
    def _ordered(self) -> list[str]:
        tasks = self.program.tasks
        left = {path: sum(need in tasks for need in planned.needs) for path, planned in tasks.items()}
        dependents: dict[str, list[str]] = {path: [] for path in tasks}
        for path, planned in tasks.items():
            for need in planned.needs:
                if need in dependents:
                    dependents[need].append(path)
        ready = deque(path for path, count in left.items() if count == 0)
        ordered: list[str] = []
        while ready:
            path = ready.popleft()
            ordered.append(path)
            for after in dependents[path]:
                left[after] -= 1
                if left[after] == 0:
                    ready.append(after)
        return ordered if len(ordered) == len(tasks) else [*ordered, *(p for p in tasks if left[p] > 0)]

    @cached_property
    def _visits(self) -> dict[str, Bound]:
        """How often a run may visit each task of a state machine; empty for other graphs."""
        if not self.program.definition.is_state_machine:
            return {}
        return visits_of(self.program)


def rounds_of(task: TaskDefinition) -> Bound:
    """Return how often the tasks within a body run each time that it does."""
    return type_of(task).rounds(settings_of(task))


def at_once(task: TaskDefinition) -> int:
    """Return how many iterations of a body run in parallel at most."""
    return type_of(task).at_once(settings_of(task))


def visits_of(program: Program) -> dict[str, Bound]:
    """Bound how often each task of a state machine is visited.

    A task with `max_visits` has so many at most; every other one as many as lead to it, and since each cycle has a task
    with a bound, that is a number. At least visited are those that every path from the start to an end passes.
    """
    ways = {task.id: [way.to for way in task.next] for task in program.definition.tasks}
    start = program.definition.start or ""
    most = _most_visits(program, ways, start)
    surely = {task for task in ways if not _can_end_without(program, ways, start, task)}
    return {
        task: Bound(least=int(task in surely), expected=min(1, most[task]), most=most[task]) for task in ways
    }


def _most_visits(program: Program, ways: dict[str, list[str]], start: str) -> dict[str, int]:
    """Sum the visits that lead to each task.

    On a cycle, which has no first task, those that have a bound come first.
    """
    bounds = {task.id: task.max_visits for task in program.definition.tasks if task.max_visits}
    before: dict[str, set[str]] = {task: set() for task in ways}
    for task, found in ways.items():
        for to in found:
            before[to].add(task)
    most: dict[str, int] = {}
    pending = list(ways)
    while pending:
        ready = [task for task in pending if all(one in most for one in before[task])]
        circling = [] if ready else [task for task in pending if task in bounds]
        if not ready and not circling:
            break
        for task in ready:
            led = int(task == start) + sum(most[one] for one in before[task])
            most[task] = min(led, bounds.get(task, led))
        most |= {task: bounds[task] for task in circling}
        pending = [task for task in pending if task not in most]
    return {task: most.get(task, 0) for task in ways}


def _can_end_without(program: Program, ways: dict[str, list[str]], start: str, avoided: str) -> bool:
    """Return whether some path from the start to an end avoids a task.

    A run also ends where no transition's condition holds.
    """
    by_id = {task.id: task for task in program.definition.tasks}
    seen, ahead = set[str](), [start] if start != avoided else []
    while ahead:
        task = ahead.pop()
        if task in seen or task not in by_id:
            continue
        seen.add(task)
        if not by_id[task].next or all(way.when is not None for way in by_id[task].next):
            return True
        ahead.extend(to for to in ways[task] if to != avoided)
    return False


def is_body(task: TaskDefinition) -> bool:
    """Return whether a task runs others in iterations."""
    return type_of(task).repeats
