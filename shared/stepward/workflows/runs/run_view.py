"""Read what one task needs to know of its run: records, variables and itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from stepward.domain.errors import Bug
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskRecord, TaskStatus
from stepward.domain.workflows import Fallback
from stepward.expressions.evaluate import is_asked, resolved
from stepward.ports.tasks import Begun, LatchKey, RunSnapshot, WorkflowStarted
from stepward.tasks.catalog import type_of
from stepward.workflows.program.names import at_depth, depth_of, number_of, round_of
from stepward.workflows.program.tasks import containers_of, group_at
from stepward.workflows.runs.run_store import WorkflowPorts, items_around, output_of


@dataclass
class RunView:
    """A run's records as read for one task in one iteration."""

    ports: WorkflowPorts
    key: RunKey
    program: Program
    planned: PlannedTask
    at: str
    snapshot: RunSnapshot
    _values: dict[str, Any] = field(default_factory=dict)

    @property
    def started(self) -> WorkflowStarted:
        """The start of the run."""
        return self.snapshot.started

    @property
    def task(self) -> TaskKey:
        """The task's key; the iterations of its own body are deeper."""
        return TaskKey(path=self.planned.path, at=at_depth(self.at, self.planned.depth))

    @property
    def own(self) -> TaskRecord | None:
        """The task's record, if an earlier attempt has written one."""
        return self.snapshot.records.get(self.task)

    @property
    def begun(self) -> tuple[Begun, ...]:
        """The marks of the task's attempts."""
        return self.snapshot.begun.get(self.task, ())

    def record(self, path: str) -> TaskRecord | None:
        """Return the record of a task that this one refers to."""
        return self.snapshot.records.get(self.seen(path))

    def seen(self, path: str) -> TaskKey:
        """Return the key of a task in the iteration of this one, or its latest visit.

        A state machine's task finds its own previous visit, until the current one has an outcome.
        """
        planned = self.program.tasks[path]
        is_step = self.program.definition.is_state_machine and planned.depth == 1
        if is_step and (path != self.planned.path or self.own is None):
            return latest(self.snapshot, path)
        return TaskKey(path=path, at=at_depth(self.at, planned.depth))

    def variables(self, value: Any, reads: Mapping[str, str]) -> dict[str, Any]:
        """Return the variables that a value's expressions use; the others are not read."""
        bound: dict[str, Any] = {
            "run": {
                "id": self.key.run,
                "workflow": self.started.workflow,
                "version": self.started.version,
                "started_at": self.started.at,
            },
            "tasks": self.outputs(reads),
            "status": {name: self._status(path) for name, path in reads.items()},
            "errors": {name: error for name, path in reads.items() if (error := self._error(path))},
        }
        if is_asked(value, "input"):
            bound["input"] = self._once("input", lambda: self.ports.store.given(self.key))
        return bound | self._of_round(value)

    def outputs(self, reads: Mapping[str, str]) -> dict[str, Any]:
        """Return the outputs of tasks; a group is an object of its members' outputs."""
        return {name: self._output(path) for name, path in reads.items() if self._is_there(path)}

    def _of_round(self, value: Any) -> dict[str, Any]:
        """Return the variables of the item or the iteration of the bodies around."""
        bound: dict[str, Any] = {}
        for body, at in self._bodies():
            number = number_of(at)
            if not type_of(self.program.tasks[body].task).is_sequential:
                if is_asked(value, "item"):
                    around, place = self._once(f"items {at}", partial(self._items, body, at, number))
                    bound["item"] = around[place]
                bound["index"] = number
            else:
                bound["iteration"] = number
                if is_asked(value, "previous"):
                    bound["previous"] = self._previous(body, at, number)
        return bound

    def _bodies(self) -> Iterator[tuple[str, str]]:
        """Yield the bodies around the task with their iterations, the outermost first.

        Inner ones are bound last, and so hide the outer ones.
        """
        containers = [path for path in self.program.bodies if path and self._is_within(path)]
        for path in sorted(containers, key=lambda body: self.program.tasks[body].depth):
            depth = self.program.tasks[path].depth + 1
            yield path, at_depth(self.at, depth)

    def _is_within(self, body: str) -> bool:
        inside = self.planned.path.startswith(f"{body}.")
        after_a_round = self.planned.path == body and depth_of(self.at) > self.planned.depth
        return inside or after_a_round

    def _items(self, body: str, at: str, number: int) -> tuple[list[Any], int]:
        outer = at.rpartition(".")[0]
        return items_around(self.ports.store, self.key, self.program, body, outer, number)

    def _previous(self, body: str, at: str, number: int) -> dict[str, Any]:
        if number == 0:
            return {}
        before = round_of(at.rpartition(".")[0], body, number - 1)
        return outputs_of_round(self.ports, self.key, self.program, body, before)

    def _once(self, name: str, read: Any) -> Any:
        if name not in self._values:
            self._values[name] = read()
        return self._values[name]

    def _is_there(self, path: str) -> bool:
        if path in self.program.groups:
            return True
        record = self.record(path)
        return record is not None and record.is_well

    def _output(self, path: str) -> Any:
        if path in self.program.groups:
            if (fallback := self.fell_back(path)) is not None:
                return self.of_fallback(fallback)
            members = self.program.groups[path]
            return {name: self._output(inner) for name, inner in members.items() if self._is_there(inner)}
        record = self.record(path)
        if record is None:
            raise Bug(f"{self.task} reads {path}, which has no record")
        task = self.seen(path)
        return self._once(f"output {task}", lambda: output_of(self.ports, self.key, task, record))

    def fell_back(self, group: str) -> Fallback | None:
        """Return the fallback of a group of which a task failed; None where none applies."""
        fallback = group_at(self.program, group).fallback
        for path in _tasks(self.program, [group]) if fallback else ():
            record = self.record(path)
            nearest = next(one for one, task in containers_of(self.program, path) if task.fallback)
            if nearest == group and record is not None and record.status is TaskStatus.FAILED:
                return fallback
        return None

    def of_fallback(self, fallback: Fallback) -> Any:
        """Evaluate a group's fallback, which may refer to the run and its input only."""
        return resolved(fallback.output, self.variables(fallback.output, {}))

    def _status(self, path: str) -> Any:
        if path in self.program.groups:
            return {name: self._status(inner) for name, inner in self.program.groups[path].items()}
        record = self.record(path)
        return record.status.value if record else None

    def _error(self, path: str) -> dict[str, Any] | None:
        """Return `code`, `detail`, HTTP `status` and `retryable` of a task's error."""
        record = None if path in self.program.groups else self.record(path)
        if record is None or record.error is None:
            return None
        shown = record.error.model_dump()
        return {**shown, "status": record.error_status, "retryable": record.error_retryable}


def read_run_view(ports: WorkflowPorts, key: RunKey, program: Program, path: str, at: str) -> RunView:
    """Read all that a task may need of its run, in one call."""
    planned = program.tasks[path]
    if program.definition.is_state_machine:
        # Which step a task was last visited at is known only when all of them are.
        return RunView(ports, key, program, planned, at, ports.store.full_snapshot(key))
    wanted = {path, *planned.needs, *_tasks(program, planned.reads.values())}
    if depth_of(at) > planned.depth:
        wanted |= _tasks(program, planned.inner_reads.values())
    latches = {
        LatchKey(other.latch, at_depth(at, other.depth)) for other in (program.tasks[one] for one in wanted)
    }
    ordered = sorted(latches, key=lambda one: (one.latch, one.at))
    snapshot = ports.store.snapshot(key, ordered, [TaskKey(path=path, at=at_depth(at, planned.depth))])
    return RunView(ports, key, program, planned, at, snapshot)


def latest(snapshot: RunSnapshot, path: str) -> TaskKey:
    """Return the key of a state machine's latest visit to a task."""
    visits = (task for task in snapshot.records if task.path == path)
    return max(visits, key=lambda task: number_of(task.at), default=TaskKey(path=path))


def outputs_of_round(
    ports: WorkflowPorts, key: RunKey, program: Program, body: str, at: str
) -> dict[str, Any]:
    """Return the outputs of a body's iteration, by the ids of its tasks."""
    beside = (*program.tasks, *program.groups)
    reads = {path.rpartition(".")[2]: path for path in beside if path.rpartition(".")[0] == body}
    latches = sorted({program.tasks[path].latch for path in _tasks(program, reads.values())})
    snapshot = ports.store.snapshot(key, [LatchKey(latch, at) for latch in latches], [])
    return RunView(ports, key, program, program.tasks[body], at, snapshot).outputs(reads)


def _tasks(program: Program, paths: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        members = program.groups.get(path)
        found |= _tasks(program, members.values()) if members else {path}
    return found
