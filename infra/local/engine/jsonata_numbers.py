"""Numbers as Step Functions has them in JSONata: all of them binary fractions of 64 bits, written as JavaScript writes them.

The library keeps whole numbers of any length, writes those of 16 digits with an exponent, and cuts the rest of a division
with fractions; on AWS a whole number beyond 2**53 is rounded, and `$string(1e20)` is `100000000000000000000`.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any, Final

from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

LARGEST_EXACT: Final = 2**53
_IN_FULL: Final = 1e21


class AwsJsonata(Jsonata):  # type: ignore[misc]  # the library declares no types
    """An expression that reckons and writes as AWS does."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.environment.bind("string", Jsonata.JFunction(Jsonata.JLambda(string), "<x-b?:s>"))
        # Step Functions offers `$parse` in its place.
        self.environment.bind("eval", None)

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        """Join two values as texts."""
        return "".join(string(side) or "" for side in (lhs, rhs))

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: str | None) -> Any:
        """Keep the fraction of a division's rest."""
        if op == "%" and Utils.is_numeric(lhs) and Utils.is_numeric(rhs) and rhs:
            return Utils.convert_number(math.fmod(lhs, rhs))
        return super().evaluate_numeric_expression(lhs, rhs, op)


def as_doubles(value: Any) -> Any:
    """Round whole numbers that binary fractions cannot hold, anywhere within a value."""
    if isinstance(value, dict):
        return {name: as_doubles(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_doubles(one) for one in value]
    is_long = isinstance(value, int) and abs(value) > LARGEST_EXACT
    return whole(float(value)) if is_long else value


def whole(value: float) -> int:
    """Make a whole number of a binary fraction that is one, by the digits that it is written with."""
    return int(value) if abs(value) <= LARGEST_EXACT else int(Decimal(repr(value)))


def string(value: Any = None, prettify: bool | None = None) -> str | None:
    """Write a value as `$string` does."""
    if isinstance(value, Utils.JList) and value.outer_wrapper:
        value = value[0]
    if value is None or isinstance(value, str):
        return value
    return _json(value, "  " if prettify else "")


def _json(value: Any, indent: str, line: str = "\n") -> str:
    inner = line + indent
    if isinstance(value, dict):
        colon = ": " if indent else ":"
        parts = [
            f"{json.dumps(name, ensure_ascii=False)}{colon}{_json(one, indent, inner)}"
            for name, one in value.items()
        ]
        return _bracketed("{}", parts, (inner, line) if indent else ("", ""))
    if isinstance(value, list):
        return _bracketed(
            "[]", [_json(one, indent, inner) for one in value], (inner, line) if indent else ("", "")
        )
    if Utils.is_numeric(value):
        return _number(float(value))
    if isinstance(value, Jsonata.JFunctionCallable):
        return ""
    return json.dumps(None if value is Utils.NULL_VALUE else value, ensure_ascii=False)


def _bracketed(brackets: str, parts: list[str], breaks: tuple[str, str]) -> str:
    inner, line = breaks
    return f"{brackets[0]}{inner}{f',{inner}'.join(parts)}{line}{brackets[1]}" if parts else brackets


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < _IN_FULL:
        return str(whole(value))
    shown = Decimal(f"{value:.15g}").normalize()
    exponent = shown.adjusted()
    if -7 < exponent < 21:
        return format(shown, "f")
    sign, digits, _ = shown.as_tuple()
    rest = "".join(map(str, digits[1:]))
    fraction = f".{rest}" if rest else ""
    return f"{'-' if sign else ''}{digits[0]}{fraction}e{'+' if exponent > 0 else '-'}{abs(exponent)}"
