"""Workflows written in Python: a `Flow` builds the very document that a YAML file would be.

>>> flow = Flow("billing-flow", version="1.0.0")
>>> total = flow.transform("total", output=jsonata("$input.price * $input.count"))
>>> exact = flow.tool("exact", "calculate", expression=jsonata(f"$string({total.output}) & ' * 1.19'"))
>>> flow.document()["tasks"][1]["needs"]
['total']
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar, Unpack

from stepward.domain.workflows import TASK_ID_PATTERN
from stepward.sdk.errors import BadCall
from stepward.sdk.flow_options import (
    FLOW,
    HUMAN,
    OPTIONS,
    FlowOptions,
    HumanOptions,
    Options,
    fields_of,
    step,
)
from stepward.sdk.flow_tasks import (
    Branch,
    Condition,
    Container,
    Foreach,
    Loop,
    Parallel,
    Scope,
    Task,
    goto,
    many,
)
from stepward.sdk.flow_values import Reference, jsonata, plain, variable

T = TypeVar("T", bound=Task)
C = TypeVar("C", bound=Container)
NOT_GIVEN: Final = object()


class Flow:
    """A workflow in the making; give it to `stepward.workflows.register`, or print its `json()`.

    Needs are added by themselves: a task waits for those that its expressions speak of.
    """

    input: Final = variable("input")
    run: Final = variable("run")

    def __init__(
        self, flow_id: str, *, version: str, name: str | None = None, **options: Unpack[FlowOptions]
    ) -> None:
        title = name if name is not None else flow_id.replace("-", " ").capitalize()
        self._head = {"id": flow_id, "name": title, "version": version, **fields_of(options, FLOW)}
        self._root = self._scope = Scope(None, None)
        self._root.is_machine = "start" in options
        self._tail: dict[str, Any] = {}

    def transform(self, task_id: str, /, *, output: Any = NOT_GIVEN, **options: Unpack[Options]) -> Task:
        """Make a value of others; without `output` it is made of the inputs."""
        own = {} if output is NOT_GIVEN else {"output": plain(output)}
        return self._add(Task, task_id, "transform", own, options)

    def tool(
        self, task_id: str, tool: str, /, *, config: Mapping[str, Any] | None = None, **more: Any
    ) -> Task:
        """Call a tool; what is no option is an argument. Arguments with an option's name go into `inputs`."""
        return self._call(task_id, "tool", {"tool": tool, "config": config}, more)

    def agent(
        self,
        task_id: str,
        agent: str,
        /,
        *,
        version: str | None = None,
        cost_limit_usd: float | str | None = None,
        **more: Any,
    ) -> Task:
        """Give an agent a task: `input=` alone is its input; otherwise all that is no option is, by name."""
        own = {"agent": agent, "version": version, "cost_limit_usd": cost_limit_usd}
        return self._call(task_id, "agent", own, more)

    def subworkflow(self, task_id: str, workflow: str, /, *, version: str | None = None, **more: Any) -> Task:
        """Run another workflow on what is no option."""
        return self._call(task_id, "subworkflow", {"workflow": workflow, "version": version}, more)

    def webhook(
        self,
        task_id: str,
        /,
        *,
        url: str | Reference | None = None,
        method: str | None = None,
        headers: Mapping[str, str] | None = None,
        wait_for_call: bool | None = None,
        effect: str | None = None,
        **more: Any,
    ) -> Task:
        """Call an address, wait to be called, or both; what is no option fills the address's places or is in the body."""
        own = {"url": url, "method": method, "headers": headers, "effect": effect}
        return self._call(task_id, "webhook", {**own, "wait_for_call": wait_for_call}, more)

    def event(self, task_id: str, event: str, /, **more: Any) -> Task:
        """Put an event on the bus, with what is no option as its detail."""
        return self._call(task_id, "event", {"event": event}, more)

    def human(self, task_id: str, /, question: str | Reference, **options: Unpack[HumanOptions]) -> Task:
        """Ask a person to approve or to fill in a form; somebody may never answer, so it needs a `timeout_s`."""
        return self._add(Task, task_id, "human", {"question": plain(question)}, options, HUMAN)

    def condition(self, task_id: str, /, test: str | Reference, **options: Unpack[Options]) -> Condition:
        """Answer a question; tasks hang on it by `needs=[it.then]` or `needs=[it.otherwise]`."""
        return self._add(Condition, task_id, "condition", {"test": jsonata(test)}, options)

    def wait(
        self,
        task_id: str,
        /,
        *,
        seconds: int | str | Reference | None = None,
        until: str | Reference | None = None,
        **options: Unpack[Options],
    ) -> Task:
        """Let time pass, or wait until a time in UTC."""
        return self._add(Task, task_id, "wait", {"seconds": seconds, "until": until}, options)

    @contextmanager
    def foreach(
        self,
        task_id: str,
        items: Reference | str | Sequence[Any],
        /,
        *,
        max_parallel: int | None = None,
        max_items: int | None = None,
        chunk_size: int | None = None,
        **options: Unpack[Options],
    ) -> Iterator[Foreach]:
        """Run the tasks of the block for each item, side by side."""
        own = {"items": plain(items), "max_parallel": max_parallel, "max_items": max_items}
        own |= {"chunk_size": chunk_size}
        with self._within(self._add(Foreach, task_id, "foreach", own, options)) as body:
            yield body

    @contextmanager
    def loop(self, task_id: str, /, *, max_iterations: int, **options: Unpack[Options]) -> Iterator[Loop]:
        """Run the tasks of the block again until what the loop's `until` says holds."""
        own = {"max_iterations": max_iterations}
        with self._within(self._add(Loop, task_id, "loop", own, options)) as body:
            yield body

    @contextmanager
    def parallel(self, task_id: str, /, **options: Unpack[Options]) -> Iterator[Parallel]:
        """Hold the tasks of the block together under one name."""
        with self._within(self._add(Parallel, task_id, "parallel", {}, options)) as group:
            yield group

    def returns(self, value: Any) -> None:
        """Say what a run brings; without it that is what the tasks brought that nobody needs, by id."""
        self._tail = {"output": plain(value)}

    def document(self) -> dict[str, Any]:
        """Give the document, as `POST /workflows` takes it."""
        _need_mentioned(self._root)
        tasks = [task.document() for task in self._root.tasks.values()]
        document = {**self._head, "tasks": tasks, **self._tail}
        return dict(json.loads(json.dumps(document)))

    def json(self) -> str:
        """Write the document, as a file or `stepward workflows register -` takes it."""
        return json.dumps(self.document(), ensure_ascii=False, indent=2)

    def _call(self, task_id: str, kind: str, own: Mapping[str, Any], more: Mapping[str, Any]) -> Task:
        """Add a task whose inputs may stand beside its options."""
        options = {name: value for name, value in more.items() if name in OPTIONS}
        arguments = {name: value for name, value in more.items() if name not in OPTIONS}
        if arguments:
            options["inputs"] = {**options.get("inputs", {}), **arguments}
        return self._add(Task, task_id, kind, own, options)

    def _add(
        self,
        make: type[T],
        task_id: str,
        kind: str,
        own: Mapping[str, Any],
        options: Mapping[str, Any],
        known: frozenset[str] = OPTIONS,
    ) -> T:
        self._check_id(task_id)
        settings = {
            name: plain(value) for name, value in own.items() if value is not None or name == "output"
        }
        task = make(self._scope, task_id, {"type": kind, **settings, **fields_of(options, known)})
        self._scope.tasks[task_id] = task
        for need in many(options.get("needs", ())):
            _need(task, need)
        return task

    def _check_id(self, task_id: str) -> None:
        if not re.fullmatch(TASK_ID_PATTERN, task_id):
            fix = "Use letters, digits and _, 48 at most, beginning with a letter."
            raise BadCall(f"{task_id!r} is no id of a task.", fix)
        if self._scope.taken(task_id):
            raise BadCall(
                f"There is a task {task_id!r} already that is seen from here.", "Give it another id."
            )

    @contextmanager
    def _within(self, container: C) -> Iterator[C]:
        around = self._scope
        container.inner = self._scope = Scope(container, around)
        try:
            yield container
        finally:
            container.inner.is_open = False
            self._scope = around


def _need(task: Task, need: Any) -> None:
    match need:
        case Branch():
            need.lead_to(task)
        case Task():
            task.need_task(need)
        case _:
            task.need(str(need))


def _need_mentioned(scope: Scope) -> None:
    for task in scope.tasks.values():
        task.need_mentioned()
        if isinstance(task, Container):
            _need_mentioned(task.inner)


__all__ = ["Flow", "Reference", "Task", "goto", "jsonata", "step"]
