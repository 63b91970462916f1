"""Check settings, failure rules and time limits of tasks, and a workflow's size."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stepward.domain.chunks import MOST_LANES
from stepward.domain.documents.problems import Problem
from stepward.domain.errors import InvalidRequest
from stepward.domain.json_schemas import fault_of_schema
from stepward.domain.nearest import did_you_mean
from stepward.domain.tools import Effect
from stepward.domain.workflows import DEEPEST_NESTING, LONGEST_PATH_CHARS, MOST_TASKS, TaskDefinition
from stepward.expressions.evaluate import is_expression
from stepward.tasks.base import TaskType
from stepward.tasks.catalog import CATALOG, all_types, type_of
from stepward.workflows.checks.context import CheckContext, TaskNode
from stepward.workflows.checks.precedence import Precedence
from stepward.workflows.documents.aliases import TASK_NAMES, is_common
from stepward.workflows.documents.definition import UNKNOWN_TYPE
from stepward.workflows.documents.diagnostics import fix_of, what_of
from stepward.workflows.program.iteration_bounds import rounds_of
from stepward.workflows.program.limits import EVENTS_OF_ROUND, MOST_EVENTS, PLANNED_EVENTS


# Settings by type.
def find_wrong_settings(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find unknown types and settings, wrong values, and what each type finds by itself."""
    del precedence
    for node in context.all():
        if node.kind is not None:
            yield from _of_type(context, node, node.kind)
        elif node.task.type != UNKNOWN_TYPE:
            detail = f"there is no task type {node.task.type!r}"
            fix = did_you_mean(node.task.type, CATALOG, f"use one of {', '.join(CATALOG)}")
            yield context.problem(node, "type", "unknown-type", detail, fix)
        if node.kind is None:
            yield from _of_no_type(context, node)


def _of_no_type(context: CheckContext, node: TaskNode) -> Iterator[Problem]:
    """Find fields that no type knows: a mistyped one may be what implies the type."""
    known = {name for kind in all_types() for name in known_fields(kind)}
    for name in node.task.settings:
        if name not in known:
            fix = did_you_mean(name, sorted(known), f"remove {name!r}")
            yield context.problem(node, name, "unknown-field", f"no task has a field {name!r}", fix)


def _of_type(context: CheckContext, node: TaskNode, kind: TaskType[Any]) -> Iterator[Problem]:
    if node.task.tasks and not (node.is_body or node.is_group):
        detail = f"tasks of type {kind.name} have no tasks within"
        yield context.problem(
            node, "tasks", "unknown-field", detail, "use the type parallel, foreach or loop for these"
        )
    try:
        settings = kind.settings.model_validate(node.task.settings)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            # An expression has its value later; one where none is allowed is reported by another check.
            if not is_expression(fault["input"]):
                yield _fault(context, node, kind, fault)
        return
    if not node.is_unresolved:
        for found in kind.faults(node.task, settings):
            yield context.problem(
                node, tuple(found.field.rstrip(".").split(".")), "wrong-setting", found.detail, found.fix
            )


def _fault(context: CheckContext, node: TaskNode, kind: TaskType[Any], fault: ErrorDetails) -> Problem:
    place = fault["loc"]
    if fault["type"] == "extra_forbidden" and len(place) == 1:
        name = str(place[0])
        detail = f"a task of type {kind.name} has no field {name!r}"
        return context.problem(
            node, name, "unknown-field", detail, did_you_mean(name, known_fields(kind), f"remove {name!r}")
        )
    code, detail = what_of(place, fault)
    return context.problem(node, place, code, detail, fix_of(place, fault))


def known_fields(kind: TaskType[Any]) -> list[str]:
    """List the fields that a task of a type may have, with aliases."""
    model: type[BaseModel] = kind.settings
    common = [name for name in ("id", "type", "name", "description", "needs", "when", "run_when", "with", "retry",
              "on_error", "fallback", "timeout_s", "priority", "data", "compensate", "next", "max_visits", "tasks")
              if is_common(name)]  # fmt: skip
    return [*model.model_fields, *common, *TASK_NAMES]


# The schema of a run's input.
def find_wrong_input_schema(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find what in the schema of the input cannot be validated."""
    del precedence
    schema = context.definition.input
    fault = fault_of_schema(schema) if schema is not None else None
    if fault:
        fix = "write a JSON Schema, as in {type: object, properties: {topic: {type: string}}}"
        yield context.problem(None, "input", "wrong-schema", f"input: {fault}", fix)


# Fallbacks and compensations.
def find_useless_failure_rules(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find fallbacks that are never used, and compensations that cannot run."""
    del precedence
    for node in context.nodes:
        if node.task.fallback and node.task.on_error == "fail":
            detail = f"{node.task.id!r} has a fallback, but ends the run when it fails"
            yield context.problem(
                node, "fallback", "fallback-unused", detail, "keep one of `fallback` and `on_error: fail`"
            )
    for undo in context.compensations:
        yield from _compensation(context, undo)


def _compensation(context: CheckContext, undo: TaskNode) -> Iterator[Problem]:
    if undo.kind and undo.settings is not None and not _is_done_at_once(undo.kind, undo.settings):
        detail = f"a task of type {undo.task.type} cannot undo another: it would have to be waited for"
        yield context.problem(
            undo, "type", "compensation", detail, "use a type such as tool, webhook or event"
        )
    for field in ("needs", "next", "run_when", "compensate", "tasks"):
        if getattr(undo.task, field) != type(undo.task).model_fields[field].default:
            detail = f"what undoes a task runs by itself, so `{field}` has no meaning for it"
            yield context.problem(undo, field, "compensation", detail, f"take `{field}` out")


def _is_done_at_once(kind: TaskType[Any], settings: Any) -> bool:
    return not kind.holds_tasks and not kind.is_awaited(settings)


# Retries of effects that happen once.
_FIX = "give it `retry: {strategy: none}`, or an effect of `idempotent` if the other side knows calls again"


def find_retried_once_effects(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find tasks of effect `once` that a retry rule would run more than once."""
    del precedence
    for node in context.all():
        own = node.task.retry
        around = next((one for one in node.containers() if one.task.retry), None)
        rule = own or (around.task.retry if around else context.definition.retry)
        if rule and rule.attempts > 1 and node.effect is Effect.ONCE:
            whose = "" if own else f" by the `retry` of {around.path if around else 'the workflow'}"
            detail = f"{node.task.id!r} has an effect that must happen once, but is tried {rule.attempts} times{whose}"
            yield context.problem(node, "retry" if own else (), "once-retried", detail, _FIX)


# Time limits of waits.
def find_unbounded_waits(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find tasks that wait for an answer from outside without a time limit."""
    del precedence
    for node in context.nodes:
        if node.task.timeout_s is None and _waits_for_somebody(node):
            detail = f"{node.task.id!r} waits for an answer from outside, which may never come"
            yield context.problem(
                node, (), "no-timeout", detail, "add `timeout_s`, for example 86400 for a day"
            )


def _waits_for_somebody(node: TaskNode) -> bool:
    if node.kind is None or node.settings is None or not node.kind.needs_timeout:
        return False
    return node.kind.is_awaited(node.settings)


# Size and times of the workflow.
EVENTS_OF_TASK: Final = 6
"""Events of a task that is answered by a token; retries are not counted, for there may be none."""
_SUBWORKFLOW: Final = "put the body into a workflow of its own and call it by a task of type subworkflow"


def find_exceeded_limits(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find too many tasks or events, too long paths, too deep bodies, impossible times."""
    del precedence
    if len(context.nodes) > MOST_TASKS:
        detail = f"there are {len(context.nodes):,} tasks; {MOST_TASKS:,} are the most"
        yield context.problem(
            None, "tasks", "too-many-tasks", detail, "take the graph apart into subworkflows"
        )
    for node in context.nodes:
        yield from _of_place(context, node)
        yield from _of_time(context, node)
        if node.is_sequential and not any(one.is_sequential for one in node.bodies()):
            yield from _of_events(context, node)


def _of_place(context: CheckContext, node: TaskNode) -> Iterator[Problem]:
    if len(node.path) > LONGEST_PATH_CHARS:
        detail = f"the path {node.path!r} has {len(node.path)} characters; {LONGEST_PATH_CHARS} are the most"
        yield context.problem(
            node, "id", "path-too-long", detail, "use shorter ids; it names a state of the machine"
        )
    if node.path.count(".") == DEEPEST_NESTING:
        detail = f"{node.path!r} is nested deeper than {DEEPEST_NESTING} levels"
        yield context.problem(node, (), "nested-too-deep", detail, _SUBWORKFLOW)


def _of_time(context: CheckContext, node: TaskNode) -> Iterator[Problem]:
    own, whole = node.task.timeout_s, context.definition.timeout_s
    if own is not None and own > whole:
        detail = f"the task's {own:,} seconds are more than the workflow's {whole:,}"
        fix = f"give the workflow `timeout_s: {own}` or more, or the task less"
        yield context.problem(node, "timeout_s", "timeout-over-workflow", detail, fix)
    seconds = node.kind.fixed_s(node.task) if node.kind else None
    if seconds is not None and own is not None and seconds > own:
        detail = f"a wait of {seconds:,} seconds is longer than its own `timeout_s` of {own:,}"
        yield context.problem(node, "timeout_s", "timeout-under-wait", detail, "take `timeout_s` out")
    if seconds is not None and seconds >= whole:
        detail = f"a wait of {seconds:,} seconds never ends within the workflow's {whole:,}"
        yield context.problem(
            node, "seconds", "timeout-over-workflow", detail, "give the workflow more `timeout_s`"
        )


def _of_events(context: CheckContext, body: TaskNode) -> Iterator[Problem]:
    """Find a loop that is too long for one history.

    Its iterations need each other, so that none can run elsewhere.
    """
    rounds, inside = _rounds(body.task), _events_within(body.task.tasks)
    total = rounds * (inside + EVENTS_OF_ROUND)
    if total <= MOST_EVENTS:
        return
    most = MOST_EVENTS // (inside + EVENTS_OF_ROUND)
    detail = (
        f"{rounds:,} times {inside:,} + {EVENTS_OF_ROUND} events are {total:,}, and one execution's history "
        f"holds {MOST_EVENTS:,}"
    )
    bound = (body.kind and body.kind.bound) or "tasks"
    fix = f"lower `{bound}` to {most:,}, or {_SUBWORKFLOW}" if most else _SUBWORKFLOW
    yield context.problem(body, bound, "history-too-long", detail, fix)


def _events_within(tasks: tuple[TaskDefinition, ...]) -> int:
    total = 0
    for task in tasks:
        inside = _events_within(task.tasks)
        if task.type in CATALOG and type_of(task).is_group:
            total += inside
        else:
            total += EVENTS_OF_TASK + (_of_rounds(task, inside + EVENTS_OF_ROUND) if task.tasks else 0)
    return total


def _of_rounds(task: TaskDefinition, each: int) -> int:
    """Return the events of a body's iterations; those beyond one history run in chunks."""
    rounds = _rounds(task)
    if task.type in CATALOG and type_of(task).is_sequential:
        return rounds * each
    chunks = ceil(rounds * each / PLANNED_EVENTS)
    return min(rounds * each, chunks * MOST_LANES * (EVENTS_OF_TASK + EVENTS_OF_ROUND))


def _rounds(task: TaskDefinition) -> int:
    """Return how often a body iterates at most; once if its settings do not fit."""
    try:
        return rounds_of(task).most
    except (InvalidRequest, ValidationError):
        return 1
