"""Prove that no personal data leaves the platform unredacted."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from stepward.domain.programs import PlannedTask
from stepward.domain.workflows import TaskDefinition
from stepward.expressions.evaluate import expressions_in, is_asked, names_in
from stepward.tasks.catalog import type_of
from stepward.workflows.program.iteration_bounds import is_body
from stepward.workflows.program.names import joined
from stepward.workflows.program.tasks import body_of, sends_outside
from stepward.workflows.proofs.proof import Proof, Subject, trail

PII_REDACTED: Final = "pii-redacted"
_PREVIOUS: Final = re.compile(r"\$previous\b(?:\s*\.\s*([A-Za-z_]\w*))?")
_END: Final = "\n"
"""Marks the end of a body's iterations: its output is not its input."""
_COMPENSATION: Final = ".compensate"


def prove_redaction(subject: Subject) -> Proof:
    """Find the shortest path from a task whose output is `pii` to one that sends data outside."""
    required, flow = subject.definition.policy.redact_pii, _Flow(subject)
    sources = [path for path in subject.program.tasks if flow.data(path) == "pii"]
    for path in sources:
        way = flow.way_out(path)
        if way:
            words = (
                f"what {path!r} brings is `pii` and comes to {way[-1]!r} unredacted, which sends it outside"
            )
            return Proof(
                name=PII_REDACTED, holds=False, is_required=required, counter_example=way, words=words
            )
    words = (
        f"no way leads from the {len(sources)} tasks whose data is `pii` to a task that sends anything outside but through "
        "one whose data is `redacted`; what agents and other workflows send is theirs to prove"
    )
    return Proof(name=PII_REDACTED, holds=True, is_required=required, words=words)


@dataclass
class _Flow:
    """The flow of data: by expressions that read, and by needs, which allow reading."""

    subject: Subject
    to: dict[str, list[str]] = field(default_factory=dict)
    inside: dict[str, list[str]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self._tasks:
            self.inside.setdefault(body_of(self.subject.program, path), []).append(path)
        self._note_groups(self.subject.definition.tasks, "", "")
        for path, planned in self._tasks.items():
            for source in self._sources(path, planned):
                self.to.setdefault(source, []).append(path)
            if is_body(planned.task):
                self._add_end(path, planned)
            if planned.task.compensate:
                self._add_compensation(path, planned, planned.task.compensate)

    @property
    def _tasks(self) -> dict[str, PlannedTask]:
        return self.subject.program.tasks

    def data(self, path: str) -> str | None:
        """Return the class of a task's output, declared by itself or by its group."""
        return self._tasks[path].task.data or self.groups.get(path)

    def way_out(self, source: str) -> tuple[str, ...]:
        """Find the shortest path of a task's output to a task that sends it; () if there is none."""
        start = self._brought_by(source)
        came_from: dict[str, str] = {start: ""}
        ahead = deque([start])
        while ahead:
            here = ahead.popleft()
            for then in self.to.get(here, ()):
                if then in came_from:
                    continue
                came_from[then] = here
                if self._sends(then):
                    way = trail(came_from, then)
                    return tuple(dict.fromkeys(node.removesuffix(_END) for node in way))
                if not self._is_clean(then):
                    ahead.append(then)
        return ()

    def _note_groups(self, tasks: tuple[TaskDefinition, ...], container: str, data: str) -> None:
        for task in tasks:
            path = joined(container, task.id)
            if data:
                self.groups[path] = data
            is_group = path in self.subject.program.groups
            self._note_groups(task.tasks, path, (task.data or data) if is_group else "")

    def _sources(self, path: str, planned: PlannedTask) -> Iterator[str]:
        for name in planned.reads.values():
            yield from (self._brought_by(task) for task in self._members(name))
        yield from (self._brought_by(need) for need in planned.needs)
        outer = body_of(self.subject.program, path)
        if outer and (not planned.needs or is_asked(_said(planned.task), "item")):
            yield outer
        yield from self._previous(path, planned)
        if self.subject.definition.is_state_machine and "." not in path:
            before = (one for one in self.subject.definition.tasks for way in one.next if way.to == path)
            yield from (self._brought_by(one.id) for one in before)

    def _previous(self, path: str, planned: PlannedTask) -> Iterator[str]:
        """Yield the tasks of the previous iteration of the nearest loop."""
        loop = body_of(self.subject.program, path)
        while loop and not type_of(self._tasks[loop].task).is_sequential:
            loop = body_of(self.subject.program, loop)
        for text in expressions_in(_said(planned.task)) if loop else ():
            for match in _PREVIOUS.finditer(text):
                named = f"{loop}.{match[1]}" if match[1] else ""
                found = [named] if named in self._tasks else self.inside.get(loop, [])
                yield from (self._brought_by(one) for one in found)

    def _add_end(self, path: str, planned: PlannedTask) -> None:
        """Add the flow into a body's output: from what `collect` reads, else from all within."""
        collect = planned.task.settings.get("collect")
        inner = [] if collect is not None else self.inside.get(path, [])
        read = [task for name in planned.inner_reads.values() for task in self._members(name)]
        for source in {*inner, *read, *self.subject.program.bodies.get(path, ())}:
            self.to.setdefault(self._brought_by(source), []).append(path + _END)
        if is_asked(collect, "item"):
            self.to.setdefault(path, []).append(path + _END)

    def _add_compensation(self, path: str, planned: PlannedTask, compensation: TaskDefinition) -> None:
        names = names_in(_said(compensation))
        read = [one for name, one in planned.reads.items() if names is None or name in names]
        for source in {path, *(task for name in read for task in self._members(name))}:
            self.to.setdefault(self._brought_by(source), []).append(path + _COMPENSATION)

    def _members(self, name: str) -> list[str]:
        members = self.subject.program.groups.get(name)
        if members is None:
            return [name]
        return [task for inner in members.values() for task in self._members(inner)]

    def _brought_by(self, path: str) -> str:
        return path + _END if is_body(self._tasks[path].task) else path

    def _sends(self, node: str) -> bool:
        if node.endswith(_COMPENSATION):
            compensation = self._tasks[node.removesuffix(_COMPENSATION)].task.compensate
            return compensation is not None and sends_outside(compensation)
        return node in self._tasks and sends_outside(self._tasks[node].task)

    def _is_clean(self, node: str) -> bool:
        if node.endswith(_COMPENSATION):
            return True
        path = node.removesuffix(_END)
        begins_body = node == path and is_body(self._tasks[path].task)
        return not begins_body and self.data(path) == "redacted"


def _said(task: TaskDefinition) -> list[Any]:
    """Return the values in which a task's expressions are, before its iterations."""
    kind = type_of(task)
    own = [value for name, value in task.settings.items() if name not in kind.later]
    return [task.inputs, task.when, task.fallback and task.fallback.output, *own]
