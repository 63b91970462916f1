"""Check that expressions parse, and refer only to what exists when they are evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.tree import Path
from stepward.domain.nearest import did_you_mean
from stepward.expressions.evaluate import is_expression
from stepward.expressions.step_functions import REMOVED
from stepward.expressions.step_functions import names as known_functions
from stepward.workflows.checks.context import CheckContext, TaskNode
from stepward.workflows.checks.expression_ast import BY_TASK, ExpressionRefs, parse_expression
from stepward.workflows.checks.precedence import Precedence

# Where expressions stand.


@dataclass(frozen=True)
class ExpressionSite:
    """One expression with its place in the document.

    `node` is None for the workflow's output. `after` is set where it is evaluated once a round, or the task, is over.
    """

    node: TaskNode | None
    inside: Path
    text: str
    after: bool = False


def sites(context: CheckContext) -> Iterator[ExpressionSite]:
    """Yield every expression of a definition at a place where one is evaluated."""
    for inside, text in texts_in(("output",), context.definition.output):
        if is_expression(text):
            yield ExpressionSite(None, inside, text)
    for node in context.all():
        for inside, value, after in _fields(node):
            for place, text in texts_in(inside, value):
                if is_expression(text):
                    yield ExpressionSite(node, place, text, after)


def _fields(node: TaskNode) -> Iterator[tuple[Path, Any, bool]]:
    """Yield the fields that may hold expressions."""
    task = node.task
    yield ("when",), task.when, False
    yield ("with",), task.inputs, False
    if task.fallback:
        yield ("fallback", "output"), task.fallback.output, False
    for index, transition in enumerate(task.next):
        yield ("next", index, "when"), transition.when, True
    if node.kind:
        for name in node.kind.expressions:
            yield (name,), task.settings.get(name), name in node.kind.later


def stray_texts(node: TaskNode) -> Iterator[tuple[Path, str]]:
    """Yield every text of a task where no expression is evaluated."""
    own = node.kind.expressions if node.kind else tuple(node.task.settings)
    for name, value in node.task.settings.items():
        if name not in own:
            yield from texts_in((name,), value)


def fields_of(node: TaskNode) -> Iterator[tuple[Path, str]]:
    """Yield every text of a task where an expression may be."""
    for inside, value, _ in _fields(node):
        yield from texts_in(inside, value)


def texts_in(place: Path, value: Any) -> Iterator[tuple[Path, str]]:
    """Yield the texts within a value, at any depth."""
    pending: list[tuple[Path, Any]] = [(place, value)]
    while pending:
        at, one = pending.pop()
        if isinstance(one, str):
            yield at, one
        elif isinstance(one, dict):
            pending.extend(((*at, name), inner) for name, inner in one.items())
        elif isinstance(one, list | tuple):
            pending.extend(((*at, index), inner) for index, inner in enumerate(one))


# Syntax and variables.


MOST_CHARS: Final = 400_000
"""Characters of all different expressions of a document: parsing them takes some seconds."""
ALWAYS: Final = frozenset({"input", "run", *BY_TASK})
OF_GROUP: Final = frozenset({"input", "run"})
"""The variables of a group's fallback, which is known before any of its tasks has ended."""
_TEXTS: Final = re.compile(r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """, re.VERBOSE)
_OF_OTHERS: Final = {"==": "=", "&&": "and", "||": "or", "!$": "$not(…)", "!(": "$not(…)"}
RUN_FIELDS: Final = ("id", "workflow", "version", "started_at")


def find_unreadable_expressions(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find expressions that do not parse, and undefined variables, functions and fields."""
    del precedence
    chars = 0
    read: set[str] = set()
    for site in sites(context):
        chars += 0 if site.text in read else len(site.text)
        read.add(site.text)
        if chars > MOST_CHARS:
            detail = f"the expressions have more than {MOST_CHARS:,} characters together"
            yield context.problem(site.node, site.inside, "too-many-expressions", detail, "use subworkflows")
            return
        reading = parse_expression(site.text)
        if reading.fault:
            detail = f"{site.text[:80]!r} cannot be read: {reading.fault}"
            yield context.problem(site.node, site.inside, "expression-syntax", detail, _right(site.text))
        else:
            yield from _names(context, site, reading)


def _right(text: str) -> str:
    """Suggest the JSONata for operators of other languages."""
    bare = _TEXTS.sub("''", text)
    said = [f"write {right} for {other}" for other, right in _OF_OTHERS.items() if other in bare]
    return ", ".join(said[:3]) or "fix the JSONata"


def _names(context: CheckContext, site: ExpressionSite, reading: ExpressionRefs) -> Iterator[Problem]:
    known = variables_at(site)
    for name in sorted(reading.variables - known):
        detail = f"there is no variable or function ${name} here"
        alike = [f"${one}" for one in (*known, *known_functions())]
        fix = REMOVED.get(name) or did_you_mean(f"${name}", alike, _list(known))
        yield context.problem(site.node, site.inside, "unknown-variable", detail, fix)
    for name in sorted(reading.bare):
        detail = f"{name!r} is read of nothing, since no value stands before it"
        near = f"${name}" if name in known else f"$input.{name}"
        yield context.problem(site.node, site.inside, "bare-name", detail, f"did you mean {near!r}?")
    for said in sorted(reading.rootless):
        detail = f"{said!r} is read of nothing, since no value stands around it"
        fix = f"did you mean {'$input.' + said.partition('.')[2]!r}?"
        yield context.problem(site.node, site.inside, "bare-name", detail, fix)
    for path in sorted(reading.paths):
        if path[0] == "run" and len(path) > 1 and path[1] not in RUN_FIELDS:
            fix = did_you_mean(path[1], RUN_FIELDS, f"it has {', '.join(RUN_FIELDS)}")
            yield context.problem(
                site.node, site.inside, "unknown-field", f"$run has no field {path[1]!r}", fix
            )
        if path[0] == "previous" and "previous" in known and len(path) > 1:
            yield from _previous(context, site, path[1])


def variables_at(site: ExpressionSite) -> frozenset[str]:
    """Return the variables that have a value where an expression is."""
    known = ALWAYS
    node = site.node
    if node is None:
        return known
    if node.is_group and site.inside[0] == "fallback":
        return OF_GROUP
    for body in (*((node,) if site.after and node.is_body else ()), *node.bodies()):
        known |= body.kind.variables if body.kind else frozenset()
    return known


def _list(known: frozenset[str]) -> str:
    return "there are " + ", ".join(f"${name}" for name in sorted(known))


def _previous(context: CheckContext, site: ExpressionSite, name: str) -> Iterator[Problem]:
    loop = _loop_of(site)
    inner = context.beside(loop.path) if loop else {}
    if loop and name not in inner:
        fix = did_you_mean(name, inner, f"its tasks are {', '.join(sorted(inner)[:8])}")
        detail = f"the loop {loop.task.id!r} has no task {name!r}"
        yield context.problem(site.node, site.inside, "missing-task", detail, fix)


def _loop_of(site: ExpressionSite) -> TaskNode | None:
    if site.node is None:
        return None
    own = (site.node,) if site.after and site.node.is_body else ()
    return next((body for body in (*own, *site.node.bodies()) if body.is_sequential), None)


# References to tasks.


def find_unavailable_references(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find tasks in expressions that do not exist, or that their task does not need."""
    for site in sites(context):
        reading = parse_expression(site.text)
        for name in () if reading.fault else reading.tasks():
            problem = _of_name(context, precedence, site, name)
            if problem:
                yield problem


def _of_name(
    context: CheckContext, precedence: Precedence, site: ExpressionSite, name: str
) -> Problem | None:
    node = site.node
    found = _found(context, site, name)
    if found is None:
        return _missing(context, site, name)
    if node is None or (site.after and (found is node or found.container == node.path)):
        return None
    if precedence.may_name(node, found):
        return None
    detail, fix = _not_before(precedence, node, found)
    return context.problem(node, site.inside, "not-needed", detail, fix)


def _found(context: CheckContext, site: ExpressionSite, name: str) -> TaskNode | None:
    if site.node is None:
        return context.beside("").get(name)
    if site.after and site.node.is_body and name in context.beside(site.node.path):
        return context.beside(site.node.path)[name]
    return context.seen(site.node, name)


def _missing(context: CheckContext, site: ExpressionSite, name: str) -> Problem:
    within = next((one for one in context.nodes if one.task.id == name), None)
    detail = f"there is no task {name!r} that this could read"
    visible = _visible(context, site)
    fix = did_you_mean(
        name, visible, f"the tasks here are {', '.join(sorted(visible)[:8])}" if visible else "there are none"
    )
    if within and within.around:
        outer = within.around
        detail = f"{within.path!r} runs within {outer.task.id!r}, and is not seen from here"
        fix = f"read $tasks.{outer.task.id}" + (
            f".{name}" if outer.is_group else f", and say in its `collect` what {name!r} brings"
        )
    return context.problem(site.node, site.inside, "missing-task", detail, fix)


def _visible(context: CheckContext, site: ExpressionSite) -> set[str]:
    visible = set(context.beside(""))
    node = site.node
    while node:
        visible |= context.beside(node.container).keys()
        node = node.around
    return visible


def _not_before(precedence: Precedence, node: TaskNode, found: TaskNode) -> tuple[str, str]:
    waits = node.compensates or node
    while waits.container != found.container and waits.around:
        waits = waits.around
    name = found.task.id
    if found is waits:
        return f"{name!r} has no outcome yet when this is evaluated", "read something else"
    order = precedence.scopes.get(found.scope)
    if order and order.is_machine and not found.container:
        return f"no way leads from {name!r} to {waits.task.id!r}", "read a task that may run before"
    if order and waits.scope == found.scope and order.comes_before(waits, found):
        return (
            f"{name!r} runs after {waits.task.id!r}, so it has no outcome yet",
            "read a task that runs before",
        )
    detail = f"{waits.task.id!r} does not wait for {name!r}, so this might read nothing"
    return detail, f"add {name!r} to the needs of {waits.task.id!r}"
