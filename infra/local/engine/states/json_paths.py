"""JSONPath as Step Functions evaluates it: by the rules of the Java library Jayway.

A missing step of a definite path is an error; below a wildcard, a slice, a filter or `..` it is passed over. A filter over an
object tests the object itself, and never a plain value. Of Jayway's functions there is `length()`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from infra.local.engine.states.path_filters import Filter

_NAME = re.compile(r"[^.\[\]()\s,'\"*?@]+")
_QUOTED = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*(,|$)", re.DOTALL)
_NUMBERS = re.compile(r"\s*-?\d+\s*(,\s*-?\d+\s*)*", re.ASCII)
_SLICE = re.compile(r"\s*(-?\d*)\s*:\s*(-?\d*)\s*", re.ASCII)
_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LENGTH = ".length()"
_FUNCTION = re.compile(r"\.\w+\([^()]*\)$")


class Step(NamedTuple):
    """One step of a path: `names`, `indexes`, `between` or `keeps`; without any, all children."""

    is_deep: bool = False
    names: tuple[str, ...] = ()
    indexes: tuple[int, ...] = ()
    between: slice | None = None
    keeps: Filter | None = None

    @property
    def is_definite(self) -> bool:
        """Whether it can lead to one place only."""
        return not self.is_deep and len(self.names) + len(self.indexes) == 1


class Path(NamedTuple):
    """A parsed path; `asks_length` if it ends with `length()`, `function` if with another."""

    steps: tuple[Step, ...]
    asks_length: bool = False
    function: str = ""

    @property
    def is_definite(self) -> bool:
        """Whether its result is a value and not a list of matches."""
        return all(step.is_definite for step in self.steps)


@functools.lru_cache(maxsize=4096)
def read(text: str) -> Path:
    """Parse a path that begins with `$`; raise ValueError if it is none."""
    if not text.startswith("$"):
        raise ValueError(f"'{text}' does not begin with $")
    asks_length = text.endswith(_LENGTH)
    body = text.removesuffix(_LENGTH) if asks_length else _FUNCTION.sub("", text)
    function = "" if asks_length else text[len(body) :]
    return Path(tuple(_steps(body)), asks_length, function)


def find(text: str, data: Any) -> list[Any]:
    """Return all matches of a path; raise LookupError if a step of a definite path is missing."""
    path = read(text)
    if path.function:
        raise LookupError(path.function)
    found, is_definite = [data], True
    for step in path.steps:
        found = [child for node in found for child in _children(step, node, data, is_definite)]
        is_definite = is_definite and step.is_definite
    return [_length(node) for node in found] if path.asks_length else found


def _length(node: Any) -> int:
    if not isinstance(node, list | dict):
        raise LookupError(_LENGTH)  # noqa: TRY004 - it is missing
    return len(node)


def _children(step: Step, node: Any, root: Any, is_definite: bool) -> Iterator[Any]:
    for place in _descendants(node) if step.is_deep else (node,):
        if step.keeps is not None:
            items = place if isinstance(place, list) else [place]
            yield from (
                item for item in items if isinstance(item, dict | list) and step.keeps.fits(item, root)
            )
        elif step.names:
            yield from _named(step.names, place, is_definite and not step.is_deep)
        elif step.indexes or step.between is not None:
            yield from _placed(step, place, is_definite and not step.is_deep)
        elif isinstance(place, dict | list):
            yield from place.values() if isinstance(place, dict) else place


def _named(names: tuple[str, ...], node: Any, must_be: bool) -> Iterator[Any]:
    for name in names:
        if isinstance(node, dict) and name in node:
            yield node[name]
        elif must_be:
            raise LookupError(name)


def _placed(step: Step, node: Any, must_be: bool) -> Iterator[Any]:
    if not isinstance(node, list):
        if must_be:
            raise LookupError("no array")
    elif step.between is not None:
        yield from node[step.between]
    else:
        for index in step.indexes:
            if -len(node) <= index < len(node):
                yield node[index]
            elif must_be and len(step.indexes) == 1:
                raise LookupError(index)


def _descendants(node: Any) -> Iterator[Any]:
    if isinstance(node, dict | list):
        yield node
        for child in node.values() if isinstance(node, dict) else node:
            yield from _descendants(child)


def _steps(text: str) -> Iterator[Step]:
    place = 1
    while place < len(text):
        is_deep = text.startswith("..", place)
        place += 2 if is_deep else text.startswith(".", place)
        if text.startswith("[", place):
            end = _end_of_bracket(text, place)
            yield _bracket(text[place + 1 : end], is_deep)
            place = end + 1
        elif text.startswith("*", place) and text[place - 1] == ".":
            yield Step(is_deep)
            place += 1
        else:
            found = _NAME.match(text, place)
            if found is None or text[place - 1] != ".":
                raise ValueError(f"cannot read the path '{text}' from '{text[place:]}' on")
            yield Step(is_deep, names=(found[0],))
            place = found.end()


def _end_of_bracket(text: str, place: int) -> int:
    depth = 0
    while place < len(text):
        if string := _STRING.match(text, place):
            place = string.end()
            continue
        depth += {"[": 1, "]": -1}.get(text[place], 0)
        if depth == 0:
            return place
        place += 1
    raise ValueError(f"the path '{text}' lacks a ']'")


def _bracket(inside: str, is_deep: bool) -> Step:
    text = inside.strip()
    if text == "*":
        return Step(is_deep)
    if text.startswith("?(") and text.endswith(")"):
        return Step(is_deep, keeps=Filter(text[2:-1], find))
    if _NUMBERS.fullmatch(inside):
        return Step(is_deep, indexes=tuple(int(number) for number in inside.split(",")))
    if found := _SLICE.fullmatch(inside):
        return Step(is_deep, between=slice(*(int(side) if side else None for side in found.groups())))
    names, place = [], 0
    while place < len(inside):
        quoted = _QUOTED.match(inside, place)
        if quoted is None:
            raise ValueError(f"cannot read '[{inside}]' in a path")
        names.append(_ESCAPE.sub(r"\1", quoted[1] if quoted[1] is not None else quoted[2]))
        place = quoted.end()
    if not names:
        raise ValueError("a bracket of a path is empty")
    return Step(is_deep, names=tuple(names))
