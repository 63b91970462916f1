"""Write workflows in Python: a `Flow` builds the document that a YAML file would be.

>>> flow = Flow("billing-flow", version="1.0.0")
>>> total = flow.transform("total", output=jsonata("$input.price * $input.count"))
>>> exact = flow.tool("exact", "calculate", expression=jsonata(f"$string({total.output}) & ' * 1.19'"))
>>> flow.document()["tasks"][1]["needs"]
['total']
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar, Unpack

from stepward.sdk.flow_builder import FlowBuilder
from stepward.sdk.flow_options import (
    FLOW,
    FlowOptions,
    Options,
    fields_of,
    step,
)
from stepward.sdk.flow_tasks import (
    Container,
    Foreach,
    Loop,
    Parallel,
    Scope,
    Task,
    goto,
)
from stepward.sdk.flow_values import Reference, jsonata, plain, variable

C = TypeVar("C", bound=Container)


class Flow(FlowBuilder):
    """A workflow in the making, for `stepward.workflows.register`, or to print with `json()`.

    Needs are added by themselves: a task waits for the tasks that its expressions refer to.

    Args:
        flow_id: The workflow's id.
        version: The version, such as `1.0.0`.
        name: The title. Default: made of the id.
        options: Fields of a workflow, such as `timeout_s` and `retry`.

    Raises:
        BadCall: An option does not exist.

    Example:
        >>> flow = Flow("billing-flow", version="1.0.0")
        >>> total = flow.transform("total", output=jsonata("$input.price * 2"))
        >>> flow.returns(total.output)
        >>> flow.document()["output"]
        '{% $tasks.total %}'
    """

    input: Final = variable("input")
    run: Final = variable("run")

    def __init__(
        self, flow_id: str, *, version: str, name: str | None = None, **options: Unpack[FlowOptions]
    ) -> None:
        title = name if name is not None else flow_id.replace("-", " ").capitalize()
        self._head = {"id": flow_id, "name": title, "version": version, **fields_of(options, FLOW)}
        super().__init__()
        self._root.is_machine = "start" in options
        self._tail: dict[str, Any] = {}

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
        """Run the tasks of the block for each item, side by side.

        Args:
            task_id: The task's id.
            items: A list, or an expression that gives one.
            max_parallel: Items at once, 1 to 40. Default: 10.
            max_items: Items at most, 1 to 10,000. Default: 100.
            chunk_size: Items in one execution. Default: as many as fit.
            options: Fields that all tasks have.

        Yields:
            The body; `item` and `index` are known within.

        Raises:
            BadCall: As for `transform`.
        """
        own = {"items": plain(items), "max_parallel": max_parallel, "max_items": max_items}
        own |= {"chunk_size": chunk_size}
        with self._within(self._add(Foreach, task_id, "foreach", own, options)) as body:
            yield body

    @contextmanager
    def loop(self, task_id: str, /, *, max_iterations: int, **options: Unpack[Options]) -> Iterator[Loop]:
        """Run the tasks of the block again until the loop's `until` holds.

        Args:
            task_id: The task's id.
            max_iterations: Rounds at most, 1 to 1,000.
            options: Fields that all tasks have.

        Yields:
            The body; `iteration` and `previous` are known within.

        Raises:
            BadCall: As for `transform`.
        """
        own = {"max_iterations": max_iterations}
        with self._within(self._add(Loop, task_id, "loop", own, options)) as body:
            yield body

    @contextmanager
    def parallel(self, task_id: str, /, **options: Unpack[Options]) -> Iterator[Parallel]:
        """Group the tasks of the block under one name.

        Args:
            task_id: The group's id.
            options: Fields that all tasks have.

        Yields:
            The group.

        Raises:
            BadCall: As for `transform`.
        """
        with self._within(self._add(Parallel, task_id, "parallel", {}, options)) as group:
            yield group

    def returns(self, value: Any) -> None:
        """Set the workflow's output.

        Args:
            value: A value with expressions in it. Without this call: the outputs of the last tasks, by id.

        Raises:
            BadCall: The value is not JSON.
        """
        self._tail = {"output": plain(value)}

    def document(self) -> dict[str, Any]:
        """Return the document, as `POST /workflows` takes it.

        Returns:
            JSON values.

        Raises:
            BadCall: An expression refers to a task within a body from outside of it.
        """
        _need_mentioned(self._root)
        tasks = [task.document() for task in self._root.tasks.values()]
        document = {**self._head, "tasks": tasks, **self._tail}
        return dict(json.loads(json.dumps(document)))

    def json(self) -> str:
        """Return the document as JSON, as `stepward workflows register -` takes it.

        Returns:
            The text.

        Raises:
            BadCall: As for `document`.
        """
        return json.dumps(self.document(), ensure_ascii=False, indent=2)

    @contextmanager
    def _within(self, container: C) -> Iterator[C]:
        around = self._scope
        container.inner = self._scope = Scope(container, around)
        try:
            yield container
        finally:
            container.inner.is_open = False
            self._scope = around


def _need_mentioned(scope: Scope) -> None:
    for task in scope.tasks.values():
        task.need_mentioned()
        if isinstance(task, Container):
            _need_mentioned(task.inner)


__all__ = ["Flow", "Reference", "Task", "goto", "jsonata", "step"]
