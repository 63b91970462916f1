"""JSONata whose whole numbers keep every digit, in arithmetic, comparisons and texts.

The library computes in 64 bits of binary and writes 15 digits, so that an id of 16 digits changes. Here whole
numbers are exact at any length; a result that only a binary fraction could hold, and not exactly, fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.parser import Parser
from jsonata.utils import Utils

from stepward.domain.numbers import NotANumber, number_of
from stepward.expressions.exact_numbers import ExactFunctions, computed, normalized

_LONG_LITERAL: Final = re.compile(r"[0-9][0-9.]{15}|[eE]")
_LITERAL: Final = re.compile(r"[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$")
_LONGEST_LITERAL_CHARS: Final = 1_100
_NOT_WITHIN: Final = frozenset({"_outer_instance", "environment", "seeking_parent", "slot", "ancestor"})


class ExactJsonata(Jsonata):  # type: ignore[misc]  # the library declares no types
    """A compiled expression; functions can be bound over those of the language."""

    def __init__(self, source: str, regex_engine: Callable[[str, Any], Any]) -> None:
        super().__init__(source, regex_engine)
        keep_literals(self.ast, source)
        self.environment = self.create_frame(_functions())

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: str | None) -> Any:
        """Compute, exactly for whole numbers."""
        for code, side in (("T2001", lhs), ("T2002", rhs)):
            if side is not None and not Utils.is_numeric(side):
                raise JException(code, -1, op, side)
        return None if lhs is None or rhs is None else computed(lhs, rhs, str(op))

    def evaluate_equality_expression(self, lhs: Any, rhs: Any, op: str | None) -> Any:
        """Compare by every digit: as binary fractions two adjacent ids would be equal."""
        if lhs is None or rhs is None:
            return False
        return bool(Utils.is_deep_equal(lhs, rhs)) is (op == "=")

    def evaluate_comparison_expression(self, lhs: Any, rhs: Any, op: str | None) -> Any:
        """Compare numbers by every digit."""
        if Utils.is_numeric(lhs) and Utils.is_numeric(rhs):
            return {"<": lhs < rhs, "<=": lhs <= rhs, ">": lhs > rhs, ">=": lhs >= rhs}[str(op)]
        return super().evaluate_comparison_expression(lhs, rhs, op)

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        """Concatenate two values as texts."""
        return "".join(ExactFunctions.string(side, None) or "" for side in (lhs, rhs))

    def evaluate_unary(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002  the library's name
        """Negate a number without making a fraction of it."""
        if str(expr.value) != "-":
            return super().evaluate_unary(expr, input, environment)
        value = self.eval(expr.expression, input, environment)
        if value is not None and not Utils.is_numeric(value):
            raise JException("D1002", expr.position, expr.value, value)
        return None if value is None else -value


class _Exact(Jsonata.JNativeFunction):  # type: ignore[misc]  # the library declares no types
    """A function of the language that returns whole numbers exactly."""

    def __init__(self, other: Any) -> None:
        self.__dict__.update(vars(other))
        self.method = getattr(ExactFunctions, other.method.__name__, other.method)

    def call(self, input: Any, args: Sequence[Any] | None) -> Any:  # noqa: A002  the library's name
        del input
        given = [*(args or ())]
        found = self.method(*given, *[None] * (self.nargs - len(given)))
        return normalized(found) if isinstance(found, float) else found


def _functions() -> Any:
    if not _FRAMES:
        frame = Jsonata.Frame(Jsonata.static_frame)
        for name, function in Jsonata.static_frame.bindings.items():
            if isinstance(function, Jsonata.JNativeFunction):
                frame.bind(name, _Exact(function))
        _FRAMES.append(frame)
    return _FRAMES[0]


_FRAMES: Final[list[Any]] = []


def keep_literals(tree: Any, source: str) -> None:
    """Restore all digits of the numbers in an expression's source.

    Raises:
        NotANumber: A number cannot be read.
    """
    if not _LONG_LITERAL.search(source):
        return
    for node in _numbers(tree):
        found = _LITERAL.search(source[max(0, node.position - _LONGEST_LITERAL_CHARS) : node.position])
        if found is None:
            raise NotANumber(f"the number before character {node.position} cannot be read")
        value = number_of(found[0].lstrip("0") or "0") if found[0].isdecimal() else number_of(found[0])
        value = normalized(value) if isinstance(value, float) else value
        node.value = -value if node.value < 0 else value


def _numbers(tree: Any) -> Iterator[Any]:
    pending, seen = [tree], set()
    while pending:
        one = pending.pop()
        if isinstance(one, list | tuple):
            pending.extend(one)
        elif isinstance(one, Parser.Symbol) and id(one) not in seen:
            seen.add(id(one))
            if vars(one).get("type") == "number":
                yield one
            pending.extend(value for name, value in vars(one).items() if name not in _NOT_WITHIN)
