"""The methods of a `Flow` that add one task each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar, Unpack

from stepward.domain.workflows import TASK_ID_PATTERN
from stepward.sdk.errors import BadCall
from stepward.sdk.flow_options import HUMAN, OPTIONS, HumanOptions, Options, fields_of
from stepward.sdk.flow_tasks import Branch, Condition, Scope, Task, as_list
from stepward.sdk.flow_values import Reference, jsonata, plain

T = TypeVar("T", bound=Task)
NOT_GIVEN: Final = object()


class FlowBuilder:
    """Adds tasks to the open scope: the flow itself, or the block of a group or body."""

    def __init__(self) -> None:
        self._root = self._scope = Scope(None, None)

    def transform(self, task_id: str, /, *, output: Any = NOT_GIVEN, **options: Unpack[Options]) -> Task:
        """Add a task that makes a value of others.

        Args:
            task_id: The task's id.
            output: The value, with expressions in it. Default: the inputs.
            options: Fields that all tasks have.

        Returns:
            The task.

        Raises:
            BadCall: The id is invalid or taken, or an option does not exist.
        """
        own = {} if output is NOT_GIVEN else {"output": plain(output)}
        return self._add(Task, task_id, "transform", own, options)

    def tool(
        self, task_id: str, tool: str, /, *, config: Mapping[str, Any] | None = None, **more: Any
    ) -> Task:
        """Add a task that calls a tool.

        Args:
            task_id: The task's id.
            tool: The tool's name.
            config: The tool's settings.
            more: Fields that all tasks have; all else are arguments.

        Returns:
            The task.

        Raises:
            BadCall: As for `transform`.
        """
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
        """Add a task that starts an agent.

        Args:
            task_id: The task's id.
            agent: The agent's id.
            version: A version or a label. Default: the newest.
            cost_limit_usd: The most that its run may cost, in dollars. Default: the agent's own limit.
            more: Fields that all tasks have; `input`, or all else by name, is the agent's input.

        Returns:
            The task.

        Raises:
            BadCall: As for `transform`.
        """
        own = {"agent": agent, "version": version, "cost_limit_usd": cost_limit_usd}
        return self._call(task_id, "agent", own, more)

    def subworkflow(self, task_id: str, workflow: str, /, *, version: str | None = None, **more: Any) -> Task:
        """Add a task that runs another workflow.

        Args:
            task_id: The task's id.
            workflow: The workflow's id.
            version: A version. Default: the newest.
            more: Fields that all tasks have; all else is its input, by name.

        Returns:
            The task.

        Raises:
            BadCall: As for `transform`.
        """
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
        """Add a task that calls an address, waits to be called, or both.

        Args:
            task_id: The task's id.
            url: The address, with places such as `{order}`.
            method: The HTTP method. Default: POST.
            headers: Headers to send.
            wait_for_call: Whether to wait for a call back.
            effect: `none`, `idempotent` or `once`.
            more: Fields that all tasks have; all else fills the places or is the body.

        Returns:
            The task.

        Raises:
            BadCall: As for `transform`.
        """
        own = {"url": url, "method": method, "headers": headers, "effect": effect}
        return self._call(task_id, "webhook", {**own, "wait_for_call": wait_for_call}, more)

    def event(self, task_id: str, event: str, /, **more: Any) -> Task:
        """Add a task that puts an event on the bus.

        Args:
            task_id: The task's id.
            event: The event's type.
            more: Fields that all tasks have; all else is the detail.

        Returns:
            The task.

        Raises:
            BadCall: As for `transform`.
        """
        return self._call(task_id, "event", {"event": event}, more)

    def human(self, task_id: str, /, question: str | Reference, **options: Unpack[HumanOptions]) -> Task:
        """Add a task that asks a person to approve or to fill in a form.

        Args:
            task_id: The task's id.
            question: What is asked.
            options: Fields that all tasks have, and those of an approval; `timeout_s` is required.

        Returns:
            The task.

        Raises:
            BadCall: As for `transform`.
        """
        return self._add(Task, task_id, "human", {"question": plain(question)}, options, HUMAN)

    def condition(self, task_id: str, /, test: str | Reference, **options: Unpack[Options]) -> Condition:
        """Add a question; tasks need its answer, `it.then` or `it.otherwise`.

        Args:
            task_id: The task's id.
            test: An expression that is true or false.
            options: Fields that all tasks have.

        Returns:
            The condition.

        Raises:
            BadCall: As for `transform`.
        """
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
        """Add a task that lets time pass; give exactly one of `seconds` and `until`.

        Args:
            task_id: The task's id.
            seconds: How long, up to a year.
            until: A time in UTC, ISO 8601.
            options: Fields that all tasks have.

        Returns:
            The task.

        Raises:
            BadCall: As for `transform`.
        """
        return self._add(Task, task_id, "wait", {"seconds": seconds, "until": until}, options)

    def _call(self, task_id: str, kind: str, own: Mapping[str, Any], more: Mapping[str, Any]) -> Task:
        """Add a task whose inputs may be given by name beside its options."""
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
        for need in as_list(options.get("needs", ())):
            _need(task, need)
        return task

    def _check_id(self, task_id: str) -> None:
        if not re.fullmatch(TASK_ID_PATTERN, task_id):
            fix = "Use letters, digits and _, 48 at most, beginning with a letter."
            raise BadCall(f"{task_id!r} is not an id of a task.", fix)
        if self._scope.taken(task_id):
            raise BadCall(
                f"There is a task {task_id!r} already that is seen from here.", "Give it another id."
            )


def _need(task: Task, need: Any) -> None:
    match need:
        case Branch():
            need.lead_to(task)
        case Task():
            task.need_task(need)
        case _:
            task.need(str(need))
