"""Exact decimal arithmetic by a safe expression parser; only divisions and roots round."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, Inexact, localcontext
from threading import Lock
from typing import Any, Final

from pydantic import Field

from stepward.domain.errors import ToolFailed
from stepward.domain.tools import Effect, Placement
from stepward.tools.base import Arguments, Settings, Tool, ToolContext

MAX_CHARS: Final = 500
MAX_EXPONENT: Final = 100
MAX_DIGITS: Final = 28
"""Digits of `round`, and of an uneven division, which keeps at least ten decimal places."""
EXACT_DIGITS: Final = 1_200
"""More digits than sums of what fits into an expression can have."""
_EVEN_DIGITS: Final = 100
_PARSING: Final = Lock()
"""One parser at a time: Python counts the depth of trees over all threads (gh-106905)."""
_NUMBER: Final = re.compile(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_LARGEST_EXPONENT: Final = 308

_BINARY: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: lambda dividend, divisor: _floored(dividend, divisor)[0],
    ast.Mod: lambda dividend, divisor: _floored(dividend, divisor)[1],
}
_UNARY: dict[type[ast.unaryop], Callable[[Decimal], Decimal]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_FUNCTIONS: dict[str, Callable[..., Decimal]] = {"min": min, "max": max, "abs": abs}


class Expression(Arguments):
    """What to compute."""

    expression: str = Field(
        max_length=MAX_CHARS,
        description="An arithmetic expression: numbers as 1234.5, + - * / // % **, parentheses, round(x, digits), min, max, abs.",
    )


class Calculate(Tool[Settings, Expression]):
    """Computes an arithmetic expression."""

    name = "calculate"
    description = (
        "Computes an arithmetic expression exactly, in decimal. Use it for every sum that is shown to people."
    )
    effect = Effect.NONE
    placement = Placement.INLINE
    timeout_s = 2
    settings = Settings
    arguments = Expression

    def run(self, arguments: Expression, settings: Settings, context: ToolContext) -> Any:
        """Parse and compute; the language has numbers and the listed operators only."""
        del settings, context
        with localcontext(_exact()):
            try:
                value = _Reader(arguments.expression.strip()).value()
            except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
                raise ToolFailed(f"{arguments.expression!r} is not an arithmetic expression.") from error
            except Inexact as error:
                raise ToolFailed(
                    f"the value of {arguments.expression!r} has more digits than are kept."
                ) from error
            except (DecimalException, ZeroDivisionError) as error:
                raise ToolFailed(f"{arguments.expression!r} has no value: {type(error).__name__}.") from error
        return {"value": _plain(value)}


class _Reader:
    """Parses numbers as they are written, so that 0.10 is exactly a tenth."""

    def __init__(self, expression: str) -> None:
        self._text = expression

    def value(self) -> Decimal:
        with _PARSING:
            tree = ast.parse(self._text, mode="eval")
        value = self._of(tree.body)
        if not value.is_finite():
            raise ToolFailed(f"{self._text!r} has no finite value.")
        return value

    def _of(self, node: ast.expr) -> Decimal:
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return _number(ast.get_source_segment(self._text, node) or "")
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return _UNARY[type(op)](self._of(operand))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return _power(self._of(left), self._of(right))
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return _quotient(self._of(left), self._of(right))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _BINARY[type(op)](self._of(left), self._of(right))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return _call(name, [self._of(arg) for arg in args])
        raise ValueError(f"{type(node).__name__} is not arithmetic")


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    if abs(exponent) > MAX_EXPONENT:
        raise ToolFailed(f"the exponent {exponent} is over {MAX_EXPONENT}.")
    if exponent == exponent.to_integral_value():
        power: Decimal = base ** abs(exponent)
        return power if exponent >= 0 else _quotient(Decimal(1), power)
    with localcontext(Context(prec=MAX_DIGITS)):
        return base**exponent


def _exact() -> Context:
    """Return a context without rounding: what would have to be rounded is an error."""
    context = Context(prec=EXACT_DIGITS)
    context.traps[Inexact] = True
    return context


def _quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Divide; an uneven quotient is rounded, but never before the decimal point."""
    places = max(MAX_DIGITS, dividend.adjusted() - divisor.adjusted() + 11)
    with localcontext(Context(prec=max(places, _EVEN_DIGITS))) as even:
        found = dividend / divisor
        if not even.flags[Inexact]:
            return found
    with localcontext(Context(prec=places)):
        return dividend / divisor


def _floored(dividend: Decimal, divisor: Decimal) -> tuple[Decimal, Decimal]:
    """Divide down to a whole number, as `//` and `%` of Python do.

    Decimal itself truncates towards zero.
    """
    whole, rest = divmod(dividend, divisor)
    if rest and (rest < 0) is not (divisor < 0):
        return whole - 1, rest + divisor
    return whole + 0, rest + 0


def _number(text: str) -> Decimal:
    """Parse a number of plain digits, without the other forms that Python allows."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text} is not a number")
    number = Decimal(text)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ToolFailed(f"{text} is outside of what numbers can be.")
    return number


def _call(name: str, args: list[Decimal]) -> Decimal:
    if name == "round" and len(args) in (1, 2):
        digits = _digits(args[1]) if len(args) == 2 else 0
        with localcontext(Context(prec=EXACT_DIGITS)):
            return args[0].quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    if name in _FUNCTIONS and args and (name != "abs" or len(args) == 1):
        return _FUNCTIONS[name](*args) if len(args) > 1 or name == "abs" else args[0]
    raise ToolFailed(f"there is no function {name} of {len(args)} numbers; use round, min, max or abs.")


def _digits(value: Decimal) -> int:
    """Parse how many digits to round to.

    More than the precision has no meaning and would take for ever.
    """
    if abs(value) > MAX_DIGITS or value != value.to_integral_value():
        raise ToolFailed(f"round takes a whole number of digits from -{MAX_DIGITS} to {MAX_DIGITS}.")
    return int(value)


def _plain(value: Decimal) -> str:
    """Format a number without an exponent where that stays readable."""
    return format(value, "f") if abs(value.adjusted()) < 100 else str(value)
