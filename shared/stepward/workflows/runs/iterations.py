"""Run the iterations of foreach and loop, and waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from stepward.domain.chunks import lanes_of, ranges
from stepward.domain.errors import DeadlineExceeded, OutputMalformed
from stepward.domain.runs import RunError
from stepward.domain.task_records import TaskKey, TaskStatus
from stepward.expressions.evaluate import resolved
from stepward.ports.clock import iso
from stepward.ports.tasks import Begun
from stepward.tasks.catalog import settings_of
from stepward.tasks.foreach import ForeachSettings, list_of
from stepward.tasks.loop import LoopSettings
from stepward.workflows.program.names import depth_of, nested, number_of, round_of
from stepward.workflows.program.tasks import containers_of, handles_failures
from stepward.workflows.runs.containers import Deadlines, failure_within
from stepward.workflows.runs.resolve_inputs import ready
from stepward.workflows.runs.run_store import completed, count_items, keep_items, output_of
from stepward.workflows.runs.run_view import RunView, outputs_of_round
from stepward.workflows.runs.slots import LONG_S
from stepward.workflows.runs.task_entry import TaskEntry


@dataclass(frozen=True)
class Iterations:
    """One entry of the state of a foreach, loop or wait."""

    entry: TaskEntry

    @property
    def is_after_a_round(self) -> bool:
        """Whether a loop returns from an iteration of its body."""
        return depth_of(self.entry.request.at) > self.entry.planned.depth

    def begin(self) -> dict[str, Any]:
        """Begin the iterations, or the wait; a mark records the time."""
        if not self.is_after_a_round:
            mark = Begun(attempt=1, at=self.entry.now)
            self.entry.ports.store.begin(self.entry.view.key, self.entry.view.task, mark)
        match settings_of(self.entry.planned.task):
            case ForeachSettings() as each:
                return self._items(each)
            case LoopSettings() as loop:
                return self._after_round(loop) if self.is_after_a_round else self._again(0)
            case _:
                return self._seconds()

    def skipped(self) -> dict[str, Any]:
        """Return the input of the next states of a task that does not run: no items, no time."""
        return self.entry.next_input(at=self.entry.at, items=[], chunks=[], again=False, seconds=0)

    def done(self) -> dict[str, Any]:
        """Record the outputs of all iterations of a foreach, or that the wait is over."""
        entry = self.entry
        each = settings_of(entry.planned.task)
        if not isinstance(each, ForeachSettings):
            over = Deadlines(entry).over()
            output = None
        else:
            over = self._failure_within(entry.at)
            output = None if over else self._collected(each)
        if over:
            return entry.fail(over)
        return entry.finish(completed(output, attempt=1, started_at=self._since, ended_at=entry.now))

    def _failure_within(self, at: str) -> RunError | None:
        """Return the failure of an iteration, if the body or a container handles failures."""
        entry = self.entry
        around = [task for _, task in containers_of(entry.program, entry.planned.path)]
        if not any(handles_failures(one) for one in (entry.planned.task, *around)):
            return None
        everything = entry.ports.store.full_snapshot(entry.view.key)
        return failure_within(entry.program, everything, entry.planned.path, at)

    def _items(self, each: ForeachSettings) -> dict[str, Any]:
        """Store the items; the iterations have only their numbers."""
        entry = self.entry
        items = list_of(ready(entry.view, entry.planned.task).settings.items)
        if len(items) > each.max_items:
            raise OutputMalformed(f"{len(items)} items are over its {each.max_items}.")
        path, at, key = entry.planned.path, entry.at, entry.view.key
        keep_items(entry.ports.store, key, entry.program, path, at, items)
        if most := entry.program.chunks.get(path):
            chunks = ranges(len(items), most, lanes_of(each.max_parallel))
            asked = [{"at": at, "first": first, "last": last} for first, last in chunks]
            return entry.next_input(at=at, chunks=asked)
        rounds = [{"at": round_of(at, path, number)} for number in range(len(items))]
        return entry.next_input(at=at, items=rounds)

    def _collected(self, each: ForeachSettings) -> list[Any]:
        """Return the output of each item: `collect`, or the outputs of the body's last tasks."""
        entry, ports = self.entry, self.entry.ports
        key, path = entry.view.key, entry.planned.path
        count = count_items(ports.store, key, path, entry.at)
        everything = ports.store.full_snapshot(key)
        found = []
        for number in range(count):
            at = round_of(entry.at, path, number)
            view = replace(entry.view, at=at, snapshot=everything)
            found.append(self._of_round(view, each.collect))
        return found

    def _of_round(self, view: RunView, collect: Any) -> Any:
        if collect is not None:
            return resolved(collect, view.variables(collect, view.planned.inner_reads))
        last = self.entry.program.bodies[self.entry.planned.path]
        brought = {path: self._output(view, path) for path in last}
        if len(last) == 1:
            return brought[last[0]]
        within = f"{self.entry.planned.path}."
        return nested({path.removeprefix(within): output for path, output in brought.items()})

    def _output(self, view: RunView, path: str) -> Any:
        task = TaskKey(path=path, at=view.at)
        record = view.snapshot.records.get(task)
        if record is None or record.status is not TaskStatus.COMPLETED:
            return None
        return output_of(self.entry.ports, view.key, task, record)

    def _again(self, number: int) -> dict[str, Any]:
        entry = self.entry
        return entry.next_input(at=round_of(entry.at, entry.planned.path, number), again=True)

    def _after_round(self, loop: LoopSettings) -> dict[str, Any]:
        """Evaluate `until`; a loop that reaches `max_iterations` without it fails."""
        entry, view = self.entry, self.entry.view
        number = number_of(entry.request.at)
        if over := self._failure_within(entry.request.at) or Deadlines(entry).over():
            entry.fail(over)
            return self.skipped()
        holds = resolved(loop.until, view.variables(loop.until, view.planned.inner_reads))
        if not isinstance(holds, bool):
            raise OutputMalformed(f"{entry.planned.path}: `until` gave {str(holds)[:80]!r}, no truth value.")
        if holds:
            output = self._of_last_round(loop.collect)
            record = completed(output, attempt=number + 1, started_at=self._since, ended_at=entry.now)
            entry.finish(record)
            return self.skipped()
        if number + 1 < loop.max_iterations:
            return self._again(number + 1)
        detail = f"`until` did not hold after {loop.max_iterations} rounds."
        entry.fail(RunError(code="LoopNotEnded", detail=detail))
        return self.skipped()

    @property
    def _since(self) -> str:
        begun = self.entry.view.begun
        return begun[0].at if begun else self.entry.now

    def _of_last_round(self, collect: Any) -> Any:
        view, at = self.entry.view, self.entry.request.at
        if collect is not None:
            return resolved(collect, view.variables(collect, view.planned.inner_reads))
        return outputs_of_round(self.entry.ports, view.key, self.entry.program, self.entry.planned.path, at)

    def _seconds(self) -> dict[str, Any]:
        """Return how long to wait; a computed time beyond the run's deadline fails at once.

        A number in the document was checked against the workflow's `timeout_s` at registration.
        """
        entry = self.entry
        now = entry.ports.clock.now()
        seconds = ready(entry.view, entry.planned.task).settings.left_s(now)
        if not isinstance(entry.planned.task.settings.get("seconds"), int):
            self._check_deadline(seconds, iso(now + timedelta(seconds=seconds)))
        if seconds > LONG_S:
            entry.release_slot()
        return entry.next_input(at=entry.at, seconds=Deadlines(entry).left_s(seconds))

    def _check_deadline(self, seconds: int, ends_at: str) -> None:
        head = self.entry.ports.runs.head(self.entry.view.key)
        if head is not None and ends_at >= head.deadline_at:
            detail = f"a wait of {seconds:,} s ends after the run's time is over, at {head.deadline_at}; give the workflow more `timeout_s`."
            raise DeadlineExceeded(detail)
