"""Find texts meant as expressions, expressions out of place, and endless recursion."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.tree import Path
from stepward.expressions.evaluate import is_expression, parse
from stepward.expressions.step_functions import names as known_functions
from stepward.workflows.checks.context import CheckContext, TaskNode
from stepward.workflows.checks.expression_ast import parse_expression
from stepward.workflows.checks.expressions import (
    ExpressionSite,
    fields_of,
    sites,
    stray_texts,
    texts_in,
    variables_at,
)
from stepward.workflows.checks.precedence import Precedence

# Expressions where none is evaluated.


_MIXED: Final = "write the whole value as one expression, as in {% 'Dear ' & $input.name %}"
_OPEN: Final = "end it, as in {% $input.name %}"


def find_misplaced_expressions(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find expressions in settings that take none, and expressions in the middle of a text."""
    del precedence
    for inside, text in texts_in(("output",), context.definition.output):
        if _is_mixed(text):
            yield context.problem(None, inside, "mixed-expression", *_mixed(text))
    for node in context.all():
        for inside, text in fields_of(node):
            if _is_mixed(text):
                yield context.problem(node, inside, "mixed-expression", *_mixed(text))
        for inside, text in stray_texts(node):
            if is_expression(text) or _is_mixed(text):
                detail = f"{inside[0]} takes no expression, so {text[:60]!r} would stay as it is"
                fix = "write the value itself; what differs between runs belongs into `with`"
                yield context.problem(node, inside, "no-expression-here", detail, fix)


def _is_mixed(text: str) -> bool:
    """Return whether an expression is meant that is within a text, or has no end."""
    return ("{%" in text and "%}" in text and not is_expression(text)) or _is_open(text)


def _is_open(text: str) -> bool:
    return text.strip().startswith("{%") and "%}" not in text


def _mixed(text: str) -> tuple[str, str]:
    if _is_open(text):
        return f"{text[:60]!r} begins an expression that does not end", _OPEN
    return f"{text[:60]!r} holds an expression within a text, where it is not evaluated", _MIXED


# The syntax of other systems.


CODE: Final = "not-an-expression"
_DOUBLE: Final = re.compile(r"\$?\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_JSON_PATH: Final = re.compile(r"\s*\$\$?(?:\.[A-Za-z_]|\[).*", re.DOTALL)
_BARE: Final = re.compile(r"\s*\$([A-Za-z_]\w*)(\s*\()?")
_PATH: Final = re.compile(r"[A-Za-z_][\w.\[\]'-]*")
_OUTPUTS: Final = re.compile(r"^(\$tasks\.\w+)\.(?:outputs?|result)\b")
_ROOTS: Final = {
    **dict.fromkeys(("input", "inputs", "event", "params", "payload", "trigger", "workflow"), "input"),
    **dict.fromkeys(("tasks", "task", "steps", "step", "jobs", "nodes", "needs"), "tasks"),
}
"""Names of the input and the tasks in other systems."""
_LONGEST_FIX_CHARS: Final = 160
_EXAMPLE: Final = "{% 'Dear ' & $input.name %}"


def find_foreign_expressions(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find `{{ … }}`, `${{ … }}`, `$.path` and expressions without their brackets."""
    del precedence
    for node, inside, text in _texts(context):
        said = _braces_within(text) if "{%" in text else _mistaken(node, inside, text)
        if said:
            detail, fix = said
            yield context.problem(node, inside, CODE, detail, fix)


def best_problems(problems: Iterable[Problem]) -> list[Problem]:
    """Leave out other problems of a text that was meant as an expression.

    It has no value yet, so these would only follow from the first.
    """
    found = list(problems)
    meant = {(one.task, one.field) for one in found if one.code == CODE}
    return [one for one in found if one.code == CODE or (one.task, one.field) not in meant]


def _texts(context: CheckContext) -> Iterator[tuple[TaskNode | None, Path, str]]:
    for inside, text in texts_in(("output",), context.definition.output):
        yield None, inside, text
    for node in context.all():
        for inside, text in fields_of(node):
            yield node, inside, text


def _mistaken(node: TaskNode | None, inside: Path, text: str) -> tuple[str, str] | None:
    if _DOUBLE.search(text):
        detail = f"{text[:60]!r} is no expression here: expressions stand in {{% … %}}"
        return detail, f"{_of_double(text)}; a text that is meant as it stands is written {{% '…' %}}"
    if _JSON_PATH.fullmatch(text):
        detail = f"{text[:60]!r} is JSONPath, which is not evaluated here"
        return detail, f"write {_whole(_of_json_path(text.strip()))}"
    is_after = node is not None and node.kind is not None and inside[0] in node.kind.later
    if _is_bare(ExpressionSite(node, inside, text, is_after), text):
        return (
            f"{text[:60]!r} is a text, since it does not stand in {{% … %}}",
            f"write {_whole(text.strip())}",
        )
    return None


def _braces_within(text: str) -> tuple[str, str] | None:
    """Find `{{ … }}` where the whole text is an expression already, such as `when`."""
    if not is_expression(text):
        return None
    inner = text.strip()[2:-2].strip()
    if not _DOUBLE.search(inner) or parse_expression(text).fault is None:
        return None
    plain = _DOUBLE.sub(lambda match: _said(match[1]), inner)
    return (
        f"{inner[:60]!r} is read as JSONata, which has no {{{{ … }}}}",
        f"write {plain[:_LONGEST_FIX_CHARS]}",
    )


def _is_bare(site: ExpressionSite, text: str) -> bool:
    """Return whether a text begins with a variable or a call, and parses to its end."""
    begun = _BARE.match(text)
    if not begun:
        return False
    known = known_functions() if begun[2] else variables_at(site)
    return begun[1] in known and parse_expression(f"{{% {text} %}}").fault is None


def _whole(expression: str) -> str:
    said = f"{{% {expression} %}}"
    return said if len(said) <= _LONGEST_FIX_CHARS else f"the whole value as one expression, as in {_EXAMPLE}"


def _of_json_path(text: str) -> str:
    """Translate JSONPath to JSONata; the context object becomes `$run`."""
    if text.startswith("$$"):
        return "$run.id"
    return f"$input{text[1:]}"


def _of_double(text: str) -> str:
    """Turn a text with `{{ … }}` into one expression."""
    parts: list[str] = []
    at = 0
    for match in _DOUBLE.finditer(text):
        parts += [_quoted(text[at : match.start()]), _said(match[1])]
        at = match.end()
    parts = [part for part in (*parts, _quoted(text[at:])) if part]
    return f"write {_whole(' & '.join(parts))}"


def _quoted(text: str) -> str:
    if not text:
        return ""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if "'" in text or '"' in text else f"'{quoted[1:-1]}'"


def _said(inner: str) -> str:
    """Translate what is between the braces to the names that values have here."""
    path = inner.lstrip("$.")
    if not _PATH.fullmatch(path):
        return inner if inner.startswith("$") else "$input.name"
    root, dot, rest = path.partition(".")
    if root in ("item", "index", "iteration", "previous", "run", "status", "errors"):
        return f"${path}"
    if root not in _ROOTS:
        return f"$input.{path}"
    return _OUTPUTS.sub(r"\1", f"${_ROOTS[root]}{dot}{rest}")


# Functions that always call themselves.


_FIX: Final = "let it call itself within a condition, as in $n > 0 ? $f($n - 1) : 0"
_ALWAYS: Final = {
    "block": ("expressions",),
    "bind": ("rhs",),
    "condition": ("condition",),
    "function": ("procedure", "arguments"),
    "apply": ("lhs", "rhs"),
    "unary": ("expression", "expressions"),
}
"""Kinds of nodes → those of their parts that are always evaluated; others are unknown."""


def find_endless_recursion(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find functions that call themselves on every path, directly or through each other."""
    del precedence
    for site in sites(context):
        if ":=" in site.text and (name := endless_in(site.text)):
            detail = f"${name} calls itself whatever happens, so it never ends"
            yield context.problem(site.node, site.inside, "endless-expression", detail, _FIX)


def endless_in(expression: str) -> str | None:
    """Return the name of a function of an expression that never ends once it is called."""
    if parse_expression(expression).fault:
        return None
    calls = {name: _calls(made) for name, made in _functions(parse(expression, "expression")).items()}
    return next((name for name in calls if name in _reached(name, calls)), None)


def _reached(name: str, calls: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    ahead = [name]
    while ahead:
        for one in calls.get(ahead.pop(), set()) - found:
            found.add(one)
            ahead.append(one)
    return found


def _functions(tree: Any) -> dict[str, Any]:
    """Map names to the functions bound to them; a name that is bound twice is left out."""
    bound: dict[str, list[Any]] = {}
    ahead = [tree]
    while ahead:
        said = vars(ahead.pop())
        if said.get("type") == "bind":
            bound.setdefault(str(vars(said["lhs"]).get("value")), []).append(said["rhs"])
        ahead.extend(child for name in ("expressions", "rhs", "body") for child in _nodes(said.get(name)))
    return {
        name: made[0]
        for name, made in bound.items()
        if len(made) == 1 and vars(made[0]).get("type") == "lambda"
    }


def _calls(made: Any) -> set[str]:
    """Name the functions that a function calls on every path; its arguments do not count."""
    found: set[str] = set()
    ahead = [vars(made)["body"]]
    while ahead:
        said = vars(ahead.pop())
        kind = said.get("type")
        if kind in ("function", "apply"):
            called = vars(said["procedure" if kind == "function" else "rhs"])
            found |= {str(called.get("value"))} if called.get("type") == "variable" else set()
        names = _ALWAYS.get(str(kind), ())
        if kind == "binary":
            names = ("lhs",) if said.get("value") in ("and", "or") else ("lhs", "rhs")
        elif kind == "path":
            ahead.append(said["steps"][0])
        elif kind == "lambda" and said.get("thunk"):
            # The library wraps a call at the end of a function into one of its own.
            names = ("body",)
        ahead.extend(child for name in names for child in _nodes(said.get(name)))
    own = {str(vars(one).get("value")) for one in vars(made).get("arguments") or ()}
    return found - own


def _nodes(value: Any) -> list[Any]:
    many = value if isinstance(value, list | tuple) else [value]
    return [one for one in many if hasattr(one, "nud")]
