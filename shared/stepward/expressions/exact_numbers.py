"""Arithmetic of expressions: exact for whole numbers, binary for fractions.

One is never turned into the other silently.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any, Final

from jsonata import functions
from jsonata.jexception import JException
from jsonata.parser import Parser
from jsonata.utils import Utils

from stepward.domain.numbers import LARGEST_SAFE_WHOLE, NotANumber, decimal_of, shown, whole_of, written

MOST_BITS: Final = 1_024
"""Whole numbers have the range of binary fractions, so that they cannot grow without end."""
Functions: Final[Any] = functions.Functions
_TEXT: Final = re.compile(r"(?P<whole>-?[0-9]+)(?P<fraction>(\.[0-9]+)?([eE][-+]?[0-9]+)?)")
_BASES: Final = {"0x": 16, "0b": 2, "0o": 8}


def computed(lhs: float, rhs: float, op: str) -> int | float:
    """Compute `lhs op rhs`.

    Raises:
        NotANumber: Digits would be lost.
    """
    if isinstance(lhs, int) and isinstance(rhs, int):
        return bounded(_whole(lhs, rhs, op))
    left, right = as_fraction(lhs), as_fraction(rhs)
    match op:
        case "+":
            return normalized(left + right)
        case "-":
            return normalized(left - right)
        case "*":
            return normalized(left * right)
        case "/":
            return normalized(left / right)
        case _:
            return normalized(math.fmod(left, right))


def _whole(lhs: int, rhs: int, op: str) -> int | float:
    match op:
        case "+":
            return lhs + rhs
        case "-":
            return lhs - rhs
        case "*":
            return lhs * rhs
        case "/":
            return _quotient(lhs, rhs)
        case _:
            rest = abs(lhs) % abs(rhs)
            return -rest if lhs < 0 else rest


def _quotient(lhs: int, rhs: int) -> int | float:
    whole, rest = divmod(lhs, rhs)
    if rest and abs(whole) > LARGEST_SAFE_WHOLE:
        raise NotANumber(f"{shown(str(lhs))} / {shown(str(rhs))} has more digits than a fraction keeps")
    return lhs / rhs if rest else whole


def as_fraction(value: float) -> float:
    """Convert a number to a fraction.

    Raises:
        NotANumber: A whole number would lose digits.
    """
    found = float(value)
    if found != value:
        raise NotANumber(f"{shown(str(value))} has more digits than arithmetic with fractions keeps")
    return found


def bounded(value: float) -> int | float:
    """Refuse a number that is larger than fractions can be."""
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise JException("D1001", 0, "a number that is too large")
    return value


def normalized(value: float) -> int | float:
    """Turn a fraction that is whole into a whole number, by its written digits."""
    if not math.isfinite(value):
        raise JException("D1001", 0, value)
    if not value.is_integer() or abs(value) >= 1e21:
        return value
    return int(value) if abs(value) <= LARGEST_SAFE_WHOLE else int(Decimal(repr(value)))


class ExactFunctions:
    """The functions that compute or write numbers, by the library's names."""

    @staticmethod
    def string(arg: Any, prettify: bool | None) -> str | None:
        """Convert a value to a text: `$string`."""
        if isinstance(arg, Utils.JList) and arg.outer_wrapper:
            arg = arg[0]
        if arg is None or isinstance(arg, str):
            return arg
        if _is_function(arg):
            return ""
        return written(arg) if Utils.is_numeric(arg) else _json(arg, "  " if prettify else None)

    @staticmethod
    def number(arg: Any) -> int | float | None:
        """Parse a number: `$number`."""
        return number_of_text(arg) if isinstance(arg, str) else Functions.number(arg)

    @staticmethod
    def sum(args: list[Any] | None) -> int | float | None:
        """Return the sum: `$sum`."""
        if args is None:
            return None
        if all(isinstance(one, int) for one in args):
            return bounded(sum(args))
        return sum(map(as_fraction, args))

    @staticmethod
    def average(args: list[Any] | None) -> int | float | None:
        """Return the mean: `$average`."""
        return computed(ExactFunctions.sum(args) or 0, len(args), "/") if args else None

    @staticmethod
    def floor(arg: float | None) -> int | None:
        """Round down: `$floor`."""
        return None if arg is None else math.floor(arg)

    @staticmethod
    def ceil(arg: float | None) -> int | None:
        """Round up: `$ceil`."""
        return None if arg is None else math.ceil(arg)

    @staticmethod
    def round(arg: float | None, precision: float | None) -> int | float | None:
        """Round half to even: `$round`."""
        places = int(precision or 0)
        if arg is None or (isinstance(arg, int) and places >= 0):
            return arg
        if isinstance(arg, int):
            return round(arg, max(places, -MOST_BITS))
        return arg if places > 400 else float(round(Decimal(repr(arg)), max(places, -400)))

    @staticmethod
    def power(arg: float | None, exp: float | None) -> int | float | None:
        """Raise to a power: `$power`."""
        if arg is None or exp is None or not isinstance(arg, int) or not isinstance(exp, int) or exp < 0:
            raised: float | None = Functions.power(arg if arg is None else as_fraction(arg), exp)
            return raised
        if abs(arg) > 1 and (arg.bit_length() - 1) * exp > MOST_BITS:
            raise JException("D3061", 1, arg, exp)
        return bounded(arg**exp)

    @staticmethod
    def sqrt(arg: float | None) -> float | None:
        """Return the square root: `$sqrt`."""
        root: float | None = Functions.sqrt(arg if arg is None else as_fraction(arg))
        return root

    @staticmethod
    def format_base(value: float | None, radix: float | None) -> str | None:
        """Format a whole number in another base: `$formatBase`."""
        base = 10 if radix is None else int(radix)
        if not 2 <= base <= 36:
            raise JException("D3100", base)
        whole = None if value is None else ExactFunctions.round(value, 0)
        return None if whole is None else str(Functions.base_repr(int(whole), base)).lower()

    @staticmethod
    def parse_integer(value: str | None, picture: str | None) -> int | None:
        """Parse a whole number by a picture: `$parseInteger`."""
        if value and (picture or "").isascii() and ("_" in value or _has_foreign_digits(value)):
            raise NotANumber(f"{shown(value)!r} is not a whole number")
        found = Functions.parse_integer(value, picture)
        return found if found is None else int(found)

    @staticmethod
    def function_clone(arg: Any) -> Any:
        """Copy a value: `$clone`."""
        return None if arg is None else json.loads(_json(arg, None))


def number_of_text(text: str) -> int | float:
    """Parse a text as `$number` does: decimal, or in base 16, 8 or 2.

    Raises:
        NotANumber: It is none.
    """
    base = _BASES.get(text[:2].lower())
    if base and re.fullmatch("[0-9a-fA-F]{1,250}", text[2:]):
        try:
            return int(text[2:], base)
        except ValueError as error:
            raise NotANumber(f"{shown(text)!r} is not a number") from error
    found = _TEXT.fullmatch(text)
    if not found:
        raise NotANumber(f"{shown(text)!r} is not a number")
    return normalized(decimal_of(text)) if found["fraction"] else bounded(whole_of(text))


def _has_foreign_digits(text: str) -> bool:
    return any(char.isdecimal() and not char.isascii() for char in text)


def _is_function(value: Any) -> bool:
    from jsonata.jsonata import Jsonata  # noqa: PLC0415  the library's own modules import each other

    return isinstance(value, Jsonata.JFunctionCallable | Parser.Symbol)


def _json(value: Any, indent: str | None, line: str = "\n") -> str:
    """Format a value as JSON, with numbers as `written` has them; an `indent` adds lines."""
    inner = line + (indent or "")
    colon = ": " if indent else ":"
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(name, ensure_ascii=False)}{colon}{_json(one, indent, inner)}"
            for name, one in value.items()
        ]
        return _bracketed("{}", parts, inner, line) if indent else _bracketed("{}", parts)
    if isinstance(value, list):
        parts = [_json(one, indent, inner) for one in value]
        return _bracketed("[]", parts, inner, line) if indent else _bracketed("[]", parts)
    if Utils.is_numeric(value):
        return written(value)
    plain = None if value is Utils.NULL_VALUE else "" if _is_function(value) else value
    return json.dumps(plain, ensure_ascii=False)


def _bracketed(brackets: str, parts: list[str], inner: str = "", line: str = "") -> str:
    between = f",{inner}".join(parts)
    return f"{brackets[0]}{inner}{between}{line}{brackets[1]}" if parts else brackets
