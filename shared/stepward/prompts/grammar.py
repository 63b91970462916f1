"""The part of Jinja2's language that templates may use, and why the rest is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from jinja2 import nodes

from stepward.domain.nearest import did_you_mean
from stepward.prompts.filters import FILTERS, TESTS
from stepward.prompts.work import refused

DEEPEST: Final = 40
"""How deep a template's blocks and expressions may nest, counted as its parser does."""
MOST_LOOPS_DEEP: Final = 3
_TAKEN: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair,
    nodes.For, nodes.If, nodes.Assign, nodes.With, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv,
    nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat, nodes.CondExpr, nodes.Call, nodes.Keyword,
)  # fmt: skip
_SPOKEN: Final = {
    "Include": "{% include %}", "Import": "{% import %}", "FromImport": "{% from %}", "Extends": "{% extends %}",
    "Block": "{% block %}", "Macro": "{% macro %}", "CallBlock": "{% call %}", "FilterBlock": "{% filter %}",
    "AssignBlock": "{% set %} around a text", "Pow": "**", "NSRef": "a namespace", "ScopedEvalContextModifier": "{% autoescape %}",
}  # fmt: skip


def check_grammar(tree: nodes.Template) -> None:
    """Refuse a template that uses what templates may not.

    Raises:
        InvalidRequest: With the line of the first thing that is not taken.
    """
    for node, depth, loops in _nodes(tree):
        if depth > DEEPEST:
            raise refused(
                f"line {node.lineno}: the template nests deeper than {DEEPEST} levels.", "use fewer levels"
            )
        if loops > MOST_LOOPS_DEEP:
            raise refused(
                f"line {node.lineno}: loops stand deeper than {MOST_LOOPS_DEEP} within each other.",
                "use fewer loops",
            )
        if type(node) not in _TAKEN:
            said = _SPOKEN.get(type(node).__name__, type(node).__name__)
            raise _refused(
                node, f"{said} is not used in prompts", "use variables, conditions, loops and filters"
            )
        _check(node)


def _nodes(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int, int]]:
    """Walk level by level, so that the walk itself has no depth."""
    level = [(tree, 0)]
    depth = 0
    while level:
        yield from ((node, depth, loops) for node, loops in level)
        depth += 1
        level = [
            (child, loops + isinstance(child, nodes.For))
            for node, loops in level
            for child in node.iter_child_nodes()
        ]


def _check(node: nodes.Node) -> None:
    match node:
        case nodes.Getattr():
            _check_member(node, node.attr)
        case nodes.Getitem(arg=nodes.Const(value=str() as name)):
            _check_member(node, name)
        case nodes.Name():
            _check_member(node, node.name)
        case nodes.Call():
            _check_call(node)
        case nodes.Filter():
            _check_known(node, "filter", node.name, FILTERS)
        case nodes.Test():
            _check_known(node, "test", node.name, TESTS)
        case nodes.For(recursive=True):
            raise _refused(node, "a loop that calls itself is not used in prompts", "leave out `recursive`")


def _check_member(node: nodes.Node, name: str) -> None:
    if name.startswith("_"):
        raise _refused(
            node,
            f"{name[:60]!r} is an attribute of Python's, which templates do not reach",
            "read variables and their members only",
        )


def _check_call(node: nodes.Call) -> None:
    if not isinstance(node.node, nodes.Name) or node.node.name != "range":
        raise _refused(
            node,
            "a template calls nothing but range(…)",
            "use a filter, as in {{ name|upper }} or {{ order|items }}",
        )
    if node.kwargs or node.dyn_args or node.dyn_kwargs or not 1 <= len(node.args) <= 3:
        raise _refused(node, "range takes one to three numbers", "write range(5) or range(1, 6)")


def _check_known(node: Any, kind: str, name: str, known: Any) -> None:
    if name not in known:
        listed = f"use one of {', '.join(sorted(known))}"
        raise _refused(node, f"there is no {kind} {name[:60]!r}", did_you_mean(name, known, listed))
    if node.dyn_args or node.dyn_kwargs:
        raise _refused(node, f"the {kind} {name!r} is given * or **", "write its arguments out")


def _refused(node: nodes.Node, what: str, fix: str) -> Exception:
    return refused(f"line {node.lineno}: {what}.", fix)
