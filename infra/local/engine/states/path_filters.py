"""Filters of JSONPath, such as `[?(@.price < 10 && @.isbn)]`, by the rules of Jayway."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Find = Callable[[str, Any], list[Any]]
Test = Callable[[Any, Any], bool]
_TOKEN = re.compile(
    r"""\s*(?:(?P<path>[@$](?:\.\.?[^\s.\[\]()=<>!&|,'"]+(?:\(\))?|\[(?:[^\[\]'"]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")*\])*)"""
    r"""|(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"""
    r"""|(?P<pattern>/(?:[^/\\]|\\.)*/[a-z]*)|(?P<sign>&&|\|\||==|!=|<=|>=|=~|[<>!()\[\],])|(?P<word>[A-Za-z]+))""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MISSING: Final = object()
_LITERALS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


class Filter:
    """One filter; `find` evaluates the paths in it."""

    def __init__(self, text: str, find: Find) -> None:
        self._find = find
        self._tokens = _tokens(text)
        self._test = self._any()
        if self._tokens:
            raise ValueError(f"cannot read the filter '{text}'")

    def fits(self, item: Any, root: Any) -> bool:
        """Return whether the filter keeps an item."""
        return self._test(item, root)

    def _any(self) -> Test:
        tests = [self._all()]
        while self._take("||"):
            tests.append(self._all())
        return lambda item, root: any(test(item, root) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._take("&&"):
            tests.append(self._one())
        return lambda item, root: all(test(item, root) for test in tests)

    def _one(self) -> Test:
        if self._take("!"):
            test = self._one()
            return lambda item, root: not test(item, root)
        if self._take("("):
            test = self._any()
            self._must(")")
            return test
        left = self._value()
        if not self._tokens or self._tokens[0][1] not in _OPERATORS:
            return lambda item, root: left(item, root) is not _MISSING
        compare = _OPERATORS[self._tokens.pop(0)[1]]
        right = self._value()
        return lambda item, root: compare(left(item, root), right(item, root))

    def _value(self) -> Callable[[Any, Any], Any]:
        if not self._tokens:
            raise ValueError("a filter ends too early")
        kind, text = self._tokens.pop(0)
        if kind == "path":
            return self._path(text)
        value = self._list() if text == "[" else _literal(kind, text)
        return lambda *_: value

    def _path(self, text: str) -> Callable[[Any, Any], Any]:
        path, is_of_item = f"${text[1:]}", text[0] == "@"

        def read(item: Any, root: Any) -> Any:
            try:
                found = self._find(path, item if is_of_item else root)
            except LookupError:
                return _MISSING
            return found[0] if found else _MISSING

        return read

    def _list(self) -> list[Any]:
        items: list[Any] = []
        while not self._take("]"):
            items.append(_literal(*self._tokens.pop(0)))
            self._take(",")
        return items

    def _take(self, sign: str) -> bool:
        is_next = bool(self._tokens) and self._tokens[0] == ("sign", sign)
        if is_next:
            self._tokens.pop(0)
        return is_next

    def _must(self, sign: str) -> None:
        if not self._take(sign):
            raise ValueError(f"a filter lacks its '{sign}'")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"cannot read the filter from '{text[place:]}' on")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        place = match.end()
    return found


def _literal(kind: str, text: str) -> Any:
    if kind == "text":
        return _ESCAPE.sub(r"\1", text[1:-1])
    if kind == "number":
        return float(text) if set(text) & set(".eE") else int(text)
    if kind == "pattern":
        body, _, flags = text[1:].rpartition("/")
        return re.compile(body, re.IGNORECASE if "i" in flags else 0)
    if kind == "word" and text in _LITERALS:
        return _LITERALS[text]
    raise ValueError(f"'{text}' is no value of a filter")


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal as JSON: true is not 1, and 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Test:
    def test(left: Any, right: Any) -> bool:
        for kind in (int | float, str):
            if isinstance(left, kind) and isinstance(right, kind) and not isinstance(left, bool):
                return compare(left, right)
        return False

    return test


def _among(left: Any, right: Any) -> bool:
    return isinstance(right, list) and any(equal(left, one) for one in right)


def _contains(left: Any, right: Any) -> bool:
    return right in left if isinstance(left, str) and isinstance(right, str) else _among(right, left)


def _fits(left: Any, right: Any) -> bool:
    return isinstance(left, str) and isinstance(right, re.Pattern) and right.fullmatch(left) is not None


def _listed(test: Test) -> Test:
    return lambda left, right: isinstance(left, list) and isinstance(right, list) and test(left, right)


_OPERATORS: Mapping[str, Test] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "=~": _fits,
    "in": _among,
    "nin": lambda left, right: not _among(left, right),
    "contains": _contains,
    "size": lambda left, right: isinstance(left, list | str) and len(left) == right,
    "empty": lambda left, right: isinstance(left, list | str) and (not left) is right,
    "subsetof": _listed(lambda left, right: all(_among(one, right) for one in left)),
    "anyof": _listed(lambda left, right: any(_among(one, right) for one in left)),
    "noneof": _listed(lambda left, right: not any(_among(one, right) for one in left)),
}
