"""Resolve a task's inputs and conditions, and decide whether it runs."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from stepward.domain.errors import OutputMalformed
from stepward.domain.json_text import as_read
from stepward.domain.task_records import TaskRecord, TaskStatus
from stepward.domain.workflows import TaskDefinition
from stepward.expressions.evaluate import expressions_in, resolved
from stepward.tasks.base import Ready
from stepward.tasks.catalog import find_type
from stepward.workflows.program.tasks import containers_of
from stepward.workflows.runs.run_view import RunView

_LOG: Final = logging.getLogger(__name__)


def value_of(value: Any, view: RunView) -> Any:
    """Resolve the expressions in a value of the task's own."""
    if not any(True for _ in expressions_in(value)):
        return value
    return resolved(value, view.variables(value, view.planned.reads))


def ready(view: RunView, task: TaskDefinition) -> Ready[Any]:
    """Resolve a task's inputs and settings.

    Raises:
        OutputMalformed: An expression cannot be evaluated, or its value does not fit.
    """
    kind = find_type(task.type)
    own = {name: task.settings[name] for name in kind.expressions if name in task.settings}
    now = {name: value_of(value, view) for name, value in own.items() if name not in kind.later}
    try:
        settings = kind.settings.model_validate({**task.settings, **now})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise OutputMalformed(f"the value of {field} does not fit: {first['msg']}") from error
    return Ready(task, settings, value_of(task.inputs, view))


def with_fallback(record: TaskRecord, view: RunView) -> TaskRecord:
    """Replace a failed task's record by one with its fallback.

    The failure stays if the fallback has no value. A fallback is the task's own: it cannot refer to the iterations of
    its body.
    """
    fallback = view.planned.task.fallback
    if fallback is None:
        return record
    try:
        output = value_of(fallback.output, replace(view, at=view.task.at))
    except OutputMalformed as fault:
        _LOG.error("%s has no fallback: %s", view.task, fault.detail)
        return record
    stands_in = {"status": TaskStatus.COMPLETED, "output": output, "fell_back": True}
    return record.model_copy(update=stands_in)


def reason_to_skip(view: RunView) -> str | None:
    """Return why a task is skipped; None if it runs.

    A task that it needs did not complete, its branch was not taken, or its condition is false.
    """
    planned = view.planned
    records = {need: view.record(need) for need in planned.needs}
    for gate in planned.gates:
        answer = records[gate.condition]
        if answer is None or not answer.is_well or answer.output is not gate.answer:
            return f"{gate.condition} did not answer {str(gate.answer).lower()}"
    upstream = _upstream(view, records)
    return upstream or _own_condition(view)


def _stood_in_for(view: RunView, need: str) -> bool:
    """Return whether a fallback replaces a group that a needed task is in, but not this one."""
    program, path = view.program, view.planned.path
    groups = (one for one, _ in containers_of(program, need) if one in program.groups)
    outside = (one for one in groups if not path.startswith(f"{one}."))
    return any(view.fell_back(one) is not None for one in outside)


def _upstream(view: RunView, records: dict[str, TaskRecord | None]) -> str | None:
    planned = view.planned
    asked = {gate.condition for gate in planned.gates}
    others = {need: record for need, record in records.items() if need not in asked}
    if planned.task.run_when == "always" or not others:
        return None
    well = [
        need for need, record in others.items() if (record and record.is_well) or _stood_in_for(view, need)
    ]
    if planned.task.run_when == "any_done":
        return None if well else "none of the tasks that it needs completed"
    ill = [need for need in others if need not in well]
    return f"{ill[0]} did not complete" if ill else None


def _own_condition(view: RunView) -> str | None:
    for when in view.planned.whens:
        answer = value_of(when, view)
        if not isinstance(answer, bool):
            raise OutputMalformed(f"`when` gave {as_read(answer)}, which is neither true nor false.")
        if not answer:
            return f"{when} is false"
    return None
