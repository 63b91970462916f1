"""Finds where product code outside `stepward.tasks` spells out the name of a task type."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stepward.tasks.catalog import CATALOG
from tests.house.source_tree import name, product_files, tree_of

SCOPE = ("shared/stepward/workflows/", "shared/stepward/sdk/flow")
"""Where a word such as `tool` can mean a type of tasks; elsewhere it is a run's kind or a model's field."""


def spelt_out_types() -> list[str]:
    """List each place as `file:line name`: comparisons of types, tables by types, and the methods of a `Flow`.

    A word counts where it is compared with something called type or kind, where it stands in a list, a set or a mapping of
    nothing but types, where a `case` or an argument called `type` is it, and where a `Flow` adds a task of that type.
    """
    return [
        f"{name(path)}:{line} {word}"
        for path in product_files()
        if name(path).startswith(SCOPE)
        for line, word in sorted(sites_in(tree_of(path)))
    ]


def sites_in(tree: ast.AST) -> set[tuple[int, str]]:
    """Find the places of one module, as line and word."""
    found: set[tuple[int, str]] = set()
    for node in ast.walk(tree):
        for one in _words_of(node):
            if one.value in CATALOG:
                found.add((one.lineno, str(one.value)))
    return found


def _words_of(node: ast.AST) -> Iterator[ast.Constant]:
    match node:
        case ast.Compare() if any(map(_is_of_a_type, [node.left, *node.comparators])):
            for side in (node.left, *node.comparators):
                yield from _texts(side)
        case ast.Match() if _is_of_a_type(node.subject):
            for inner in ast.walk(node):
                yield from _texts(inner.value) if isinstance(inner, ast.MatchValue) else ()
        case ast.Dict():
            keys = [key for key in node.keys if key is not None]
            yield from _if_all_are_types(keys)
            yield from _if_all_are_types(node.values)
            yield from (value for key, value in _pairs(node) if key == "type")
        case ast.Set() | ast.List() | ast.Tuple():
            yield from _if_all_are_types(node.elts)
        case ast.keyword(arg="type" | "kind"):
            yield from _texts(node.value)
        case ast.Call(func=ast.Attribute(attr="_add" | "_call")):
            for argument in node.args:
                yield from _texts(argument)


def _pairs(node: ast.Dict) -> Iterator[tuple[object, ast.Constant]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
            yield key.value, value


def _if_all_are_types(nodes: list[ast.expr]) -> list[ast.Constant]:
    words = [one for node in nodes for one in _texts(node)]
    return words if len(words) >= len(nodes) and all(one.value in CATALOG for one in words) else []


def _texts(node: ast.expr) -> list[ast.Constant]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node]
    inner = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else []
    return [one for element in inner for one in _texts(element)]


def _is_of_a_type(node: ast.expr) -> bool:
    names = {
        inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else None
        for inner in ast.walk(node)
    }
    said = any(isinstance(inner, ast.Constant) and inner.value == "type" for inner in ast.walk(node))
    return said or not names.isdisjoint({"type", "kind"})
