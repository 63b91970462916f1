"""What a workflow means, said as briefly as can be: task after task in one process, with no machine and no records.

Every id may stand once in a document here. A failure that ends the run ends nothing: the reference says what every task
would come to, and that the run failed. A machine may stop anywhere after such a failure, so its records are a part of
these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from stepward.domain.errors import OutputMalformed
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.expressions.evaluate import evaluate, is_expression

Seen = dict[str, Any]
Flat = tuple[str, TaskDefinition, tuple[str, ...], tuple[str, ...]]
"""A task with its path, what it needs, and its conditions, those of its groups included."""


@dataclass
class Reference:
    """One run: `ended` are status and output of every task in every round; `agent` answers by path and round."""

    definition: WorkflowDefinition
    agent: Callable[[str, str, Any], Any]
    ended: dict[tuple[str, str], tuple[str, Any]] = field(default_factory=dict)
    failed: list[TaskDefinition] = field(default_factory=list)
    is_fatal: bool = False
    _holding: list[list[TaskDefinition]] = field(default_factory=list)
    """Of the bodies under way that answer for what fails in them: what did."""

    def run(self, given: Any) -> tuple[str, Any]:
        """Say how the run ends, and what it brings."""
        start: Seen = {"input": given, "tasks": {}, "status": {}}
        last = self._scope(self.definition.tasks, "", "", start)
        ran = sum(status != "SKIPPED" for status, _ in self.ended.values())
        is_ill = not self.definition.allow_partial or 2 * len(self.failed) > ran
        if self.is_fatal or (self.failed and (is_ill or any(task.priority >= 8 for task in self.failed))):
            return "FAILED", None
        brought = {path: self.ended[path, ""][1] for path in last if self.ended[path, ""][0] == "COMPLETED"}
        status = "PARTIALLY_COMPLETED" if self.failed else "COMPLETED"
        return status, next(iter(brought.values())) if len(last) == 1 and brought else _nested(brought)

    def _scope(self, tasks: tuple[TaskDefinition, ...], prefix: str, at: str, seen: Seen) -> list[str]:
        """Run tasks, each when all that it needs have ended, into what is seen; answer those that nobody needs."""
        flat = list(_flat(tasks, prefix, (), ()))
        member = {name: [one[0] for one in flat if name in one[0].split(".")] for name in _names(tasks)}
        gates: dict[str, list[tuple[str, bool]]] = {path: [] for path, *_ in flat}
        for path, task, *_ in flat:
            for answer, said in ((True, "then"), (False, "otherwise")):
                for name in task.settings.get(said, ()):
                    for one in member[name]:
                        gates[one].append((path, answer))
        needs = {
            path: {one for name in names for one in member[name]} | {gate for gate, _ in gates[path]}
            for path, _, names, _ in flat
        }
        held = {name: _held(tasks, seen[name], seen[name]) for name in ("tasks", "status")}
        while flat:
            place = next(
                n for n, one in enumerate(flat) if all((need, at) in self.ended for need in needs[one[0]])
            )
            path, task, _, whens = flat.pop(place)
            runs = self._may_run(task, needs[path], gates[path], at)
            status, output = self._end(task, path, at, seen, whens if runs else None)
            self.ended[path, at] = (status, output)
            held["status"][task.id][task.id] = seen["status"][task.id] = status
            if status == "COMPLETED":
                held["tasks"][task.id][task.id] = seen["tasks"][task.id] = output
        return [path for path in needs if not any(path in found for found in needs.values())]

    def _may_run(self, task: TaskDefinition, needs: set[str], gates: list[tuple[str, bool]], at: str) -> bool:
        if any(self.ended[gate, at] != ("COMPLETED", answer) for gate, answer in gates):
            return False
        asked = {gate for gate, _ in gates}
        well = [self.ended[need, at][0] == "COMPLETED" for need in needs if need not in asked]
        return {"all_done": all(well), "any_done": any(well) or not well, "always": True}[task.run_when]

    def _end(
        self, task: TaskDefinition, path: str, at: str, seen: Seen, whens: tuple[str, ...] | None
    ) -> tuple[str, Any]:
        try:
            if whens is None or not all(_truth(when, seen) for when in whens):
                return "SKIPPED", None
            return "COMPLETED", self._work(task, path, at, seen)
        except OutputMalformed:
            if task.fallback:
                return "COMPLETED", _value(task.fallback.output, seen)
        mild = task.priority < 8 if self.definition.allow_partial else self.definition.on_error == "continue"
        is_fatal = (task.on_error or ("continue" if mild else "fail")) == "fail"
        if is_fatal and self._holding:
            self._holding[-1].append(task)
            return "FAILED", None
        self.failed.append(task)
        self.is_fatal |= is_fatal
        return "FAILED", None

    def _work(self, task: TaskDefinition, path: str, at: str, seen: Seen) -> Any:
        said = task.settings
        match task.type:
            case "transform":
                return _value(said["output"], seen)
            case "condition":
                return _truth(said["test"], seen)
            case "agent":
                return self.agent(path, at, _value(task.inputs["input"], seen))
            case "foreach" | "loop":
                answers = bool(task.fallback or task.on_error == "continue")
                self._holding += [[]] if answers else []
                try:
                    return self._body(task, path, at, seen)
                finally:
                    del self._holding[len(self._holding) - answers :]
        return None

    def _body(self, task: TaskDefinition, path: str, at: str, seen: Seen) -> Any:
        said = task.settings
        match task.type:
            case "foreach":
                items = _value(said["items"], seen)
                items = [] if items is None else items if isinstance(items, list) else [items]
                if len(items) > said.get("max_items", 100):
                    raise OutputMalformed("too many items")
                return self._each(task, path, at, items, seen)
            case "loop":
                return self._again(task, path, at, seen)
        return None

    def _each(self, task: TaskDefinition, path: str, at: str, items: list[Any], seen: Seen) -> list[Any]:
        found, before = [], self._held()
        for number, item in enumerate(items):
            inner, last, where = self._round(task, path, at, {**seen, "item": item, "index": number}, number)
            brought = {one.removeprefix(f"{path}."): self.ended[one, where][1] for one in last}
            bare = next(iter(brought.values())) if len(last) == 1 else _nested(brought)
            collect = task.settings.get("collect")
            if self._held() == before:
                found.append(bare if collect is None else _value(collect, inner))
        if self._held() > before:
            raise OutputMalformed("a task within failed")
        return found

    def _held(self) -> int:
        """Count what failed within the nearest body that answers for it."""
        return len(self._holding[-1]) if self._holding else 0

    def _again(self, task: TaskDefinition, path: str, at: str, seen: Seen) -> Any:
        previous: Seen = {}
        before = self._held()
        for number in range(task.settings["max_iterations"]):
            own = {**seen, "iteration": number, "previous": previous}
            inner, _, _ = self._round(task, path, at, own, number)
            direct = {one.id for one in task.tasks}
            previous = {name: value for name, value in inner["tasks"].items() if name in direct}
            if self._held() > before:
                raise OutputMalformed("a task within failed")
            if _truth(task.settings["until"], inner):
                collect = task.settings.get("collect")
                return previous if collect is None else _value(collect, inner)
        raise OutputMalformed("`until` never held")

    def _round(self, task: TaskDefinition, path: str, at: str, seen: Seen, number: int) -> Any:
        inner = {**seen, "tasks": dict(seen["tasks"]), "status": dict(seen["status"])}
        where = f"{at}.{task.id}[{number}]".removeprefix(".")
        return inner, self._scope(task.tasks, path, where, inner), where


def _flat(
    tasks: tuple[TaskDefinition, ...], prefix: str, needs: tuple[str, ...], whens: tuple[str, ...]
) -> Iterator[Flat]:
    for task in tasks:
        path = f"{prefix}.{task.id}".removeprefix(".")
        own = (path, task, (*needs, *task.needs), (*whens, *([task.when] if task.when else [])))
        yield from _flat(task.tasks, path, own[2], own[3]) if task.type == "parallel" else [own]


def _names(tasks: tuple[TaskDefinition, ...]) -> Iterator[str]:
    for task in tasks:
        yield task.id
        if task.type == "parallel":
            yield from _names(task.tasks)


def _held(tasks: tuple[TaskDefinition, ...], seen: Seen, into: Seen) -> dict[str, Seen]:
    """Make every group an object in what is seen, and say in which object each task is."""
    found: dict[str, Seen] = {}
    for task in tasks:
        found[task.id] = into
        if task.type == "parallel":
            seen[task.id] = into[task.id] = {}
            found |= _held(task.tasks, seen, into[task.id])
    return found


def _nested(brought: Seen) -> Seen:
    found: Seen = {}
    for path, output in brought.items():
        *groups, name = path.split(".")
        into = found
        for group in groups:
            into = into.setdefault(group, {})
        into[name] = output
    return found


def _truth(value: Any, seen: Seen) -> bool:
    found = _value(value, seen)
    if not isinstance(found, bool):
        raise OutputMalformed("neither true nor false")
    return found


def _value(value: Any, seen: Seen) -> Any:
    if isinstance(value, dict):
        return {name: _value(inner, seen) for name, inner in value.items()}
    return evaluate(value, seen) if is_expression(value) else value
