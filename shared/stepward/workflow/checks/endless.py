"""A function that calls itself whatever happens never ends; this is seen before a run waits for it in vain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from stepward.domain.documents.problems import Problem
from stepward.models.expressions import parse
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.reading import read_expression
from stepward.workflow.checks.scene import Scene
from stepward.workflow.checks.sites import sites

_FIX: Final = "let it call itself within a condition, as in $n > 0 ? $f($n - 1) : 0"
_ALWAYS: Final = {
    "block": ("expressions",),
    "bind": ("rhs",),
    "condition": ("condition",),
    "function": ("procedure", "arguments"),
    "apply": ("lhs", "rhs"),
    "unary": ("expression", "expressions"),
}
"""Kinds of nodes → what of them is evaluated whenever they are; of other kinds nothing is said."""


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find functions that call themselves, at once or through each other, on every way through them."""
    del orders
    for site in sites(scene):
        if ":=" in site.text and (name := endless_in(site.text)):
            detail = f"${name} calls itself whatever happens, so it never ends"
            yield scene.problem(site.spot, site.inside, "endless-expression", detail, _FIX)


def endless_in(expression: str) -> str | None:
    """Name a function of an expression that never ends once it is called."""
    if read_expression(expression).fault:
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
    """Give the functions that have a name of their own, by it; one that is bound twice may be either."""
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
    """Name the functions that a function calls on every way through it; its own arguments are none of them."""
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
