"""Parse an expression, and list the tasks, variables and functions it refers to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from stepward.domain.errors import InvalidRequest
from stepward.expressions.evaluate import parse
from stepward.expressions.step_functions import names as known_functions

DEEPEST_TREE: Final = 150
"""Depth of the syntax tree: a long chain of `&` is deep although it has no brackets."""
BY_TASK: Final = frozenset({"tasks", "status", "errors"})
"""The variables that hold one value for each task, by its id."""

_ROOTS: Final = ("", "$")
"""The library's names of `$` and `$$`: the context value and the root, of which there is none."""
_ANOTHER_CONTEXT: Final = frozenset({"predicate", "stages", "group", "terms", "pattern", "update", "delete"})
_NO_CHILDREN: Final = frozenset({"_outer_instance", "seeking_parent", "slot", "ancestor", "environment"})

Names = tuple[str, ...]


@dataclass
class ExpressionRefs:
    """What one expression refers to.

    `paths` are variables with the fields that are read of them, as far as these are names.
    """

    fault: str | None = None
    paths: set[Names] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    rootless: set[str] = field(default_factory=set)
    """Paths that begin at a context value where there is none, as in `$.name`."""
    bound: set[str] = field(default_factory=set)
    only: Names | None = None
    """The whole expression, if it is one path and nothing else."""
    depth: int = 0

    @property
    def variables(self) -> set[str]:
        """The variables that it does not bind itself, without functions."""
        return {path[0] for path in self.paths} - self.bound - known_functions() - {"", "$"}

    def tasks(self) -> Iterator[str]:
        """Return the ids of the tasks that it names."""
        return iter(
            sorted({path[1] for path in self.paths if path[0] in BY_TASK - self.bound and len(path) > 1})
        )


@lru_cache(maxsize=20_000)
def parse_expression(expression: str) -> ExpressionRefs:
    """Parse an expression; a syntax error is in `fault`. Results are cached."""
    try:
        tree = parse(expression, "expression")
    except InvalidRequest as error:
        return ExpressionRefs(error.detail.partition("cannot be read: ")[2] or error.detail)
    reading = ExpressionRefs()
    _walk(tree, reading)
    if reading.depth > DEEPEST_TREE:
        reading.fault = f"it is nested deeper than {DEEPEST_TREE} steps; take it apart"
    if vars(tree).get("type") in ("path", "variable"):
        reading.only = _whole_path(tree)
    return reading


def _walk(tree: Any, reading: ExpressionRefs) -> None:
    """Traverse the tree with a stack of its own.

    `inside` says whether a bare name has a context value to be read of.
    """
    ahead: list[tuple[Any, bool, int]] = [(tree, False, 1)]
    while ahead:
        node, inside, depth = ahead.pop()
        reading.depth = max(reading.depth, depth)
        said = vars(node)
        _note(node, said, inside, reading)
        steps = said.get("steps") or ()
        for index, step in enumerate(steps):
            if index or said.get("type") != "path" or vars(step).get("type") != "variable":
                ahead.append((step, inside or index > 0, depth + 1))
            else:
                ahead.extend((child, True, depth + 1) for _, child in _children(vars(step)))
        ahead.extend(
            (child, inside or name in _ANOTHER_CONTEXT, depth + 1)
            for name, child in _children(said)
            if name != "steps"
        )


def _note(node: Any, said: dict[str, Any], inside: bool, reading: ExpressionRefs) -> None:
    kind = said.get("type")
    if kind == "path":
        first = vars(node.steps[0])
        if first.get("type") == "variable":
            path = _path_of(node.steps)
            reading.paths.add(path)
            if path[0] in _ROOTS and len(path) > 1 and not (inside and path[0] == ""):
                reading.rootless.add(".".join((f"${path[0]}", *path[1:])))
        elif first.get("type") == "name" and not inside:
            reading.bare.add(str(first.get("value")))
    elif kind == "variable":
        reading.paths.add((str(said.get("value")),))
    elif kind == "bind":
        reading.bound.add(str(vars(node.lhs).get("value")))
    elif kind == "lambda":
        reading.bound |= {str(vars(one).get("value")) for one in said.get("arguments") or ()}
    reading.bound |= {said[name] for name in ("focus", "index") if isinstance(said.get(name), str)}
    for step in said.get("steps") or ():
        own = vars(step)
        reading.bound |= {own[name] for name in ("focus", "index") if isinstance(own.get(name), str)}


def _path_of(steps: list[Any]) -> Names:
    names = [str(vars(steps[0]).get("value"))]
    if vars(steps[0]).get("predicate"):
        return (names[0],)
    for step in steps[1:]:
        if vars(step).get("type") != "name":
            break
        names.append(str(vars(step).get("value")))
    return tuple(names)


def _whole_path(tree: Any) -> Names | None:
    said = vars(tree)
    if said.get("type") == "variable":
        return None if said.get("predicate") or said.get("group") else (str(said.get("value")),)
    plain = all(not vars(step).get("stages") and not vars(step).get("predicate") for step in tree.steps)
    path = _path_of(tree.steps)
    return (
        path
        if plain and len(path) == len(tree.steps) and vars(tree.steps[0]).get("type") == "variable"
        else None
    )


def _children(said: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in said.items():
        if name not in _NO_CHILDREN:
            pending = [value]
            while pending:
                one = pending.pop()
                if isinstance(one, list | tuple):
                    pending.extend(one)
                elif hasattr(one, "nud"):
                    yield name, one
