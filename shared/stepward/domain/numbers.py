"""Convert texts to numbers and back without losing a digit silently.

Whole numbers keep every digit. A decimal is kept as every reader of JSON keeps it, in 64 bits of binary, so one with more
digits than that holds is refused. Only ASCII digits make a number, and nothing is one that JSON cannot write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator

LARGEST_SAFE_WHOLE: Final = 2**53 - 1
"""Beyond it JSON readers do not agree on the digits."""
MOST_DECIMAL_DIGITS: Final = 17
"""The most significant digits of a decimal: 64-bit binary numbers distinguish no more."""
MOST_WHOLE_DIGITS: Final = 1_000
MOST_PLAIN_EXPONENT: Final = 21
"""From here on a fraction is written with an exponent, as JavaScript does."""
_JSON_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WHOLE: Final = re.compile(r"[-+]?[0-9]+")
_NOISE_FREE_DIGITS: Final = 12


class NotANumber(ValueError):
    """A text that is no number, or one whose digits would be lost."""


def number_of(text: str) -> int | float:
    """Parse a number as JSON writes it.

    Raises:
        NotANumber: It is none, or it has digits that would be lost.
    """
    if not is_written_as_json(text):
        raise NotANumber(f"{shown(text)} is not a number as JSON writes it")
    return whole_of(text) if _WHOLE.fullmatch(text) else decimal_of(text)


def is_written_as_json(text: str) -> bool:
    """Return True if a text is written like a JSON number, whether or not it can be stored."""
    return _JSON_NUMBER.fullmatch(text) is not None


def whole_of(text: str) -> int:
    """Parse a whole number without losing digits.

    Raises:
        NotANumber: It is none, or it has more than a thousand digits.
    """
    if len(text) > MOST_WHOLE_DIGITS:
        raise NotANumber(f"{shown(text)} has {len(text):,} digits; {MOST_WHOLE_DIGITS:,} are the most")
    if not _WHOLE.fullmatch(text):
        raise NotANumber(f"{shown(text)} is not a whole number")
    return int(text)


def decimal_of(text: str) -> float:
    """Parse a number with a fraction or an exponent.

    Raises:
        NotANumber: It has more significant digits than are kept, or is too large or too small to be kept.
    """
    digits = significant_digits(text)
    if len(digits) > MOST_DECIMAL_DIGITS:
        raise NotANumber(
            f"{shown(text)} has {len(digits):,} significant digits; decimals keep {MOST_DECIMAL_DIGITS}"
        )
    value = float(text)
    if math.isinf(value):
        raise NotANumber(f"{shown(text)} is larger than a number can be")
    if value == 0 and digits:
        raise NotANumber(f"{shown(text)} is nearer to zero than a number can be")
    return value


def significant_digits(text: str) -> str:
    """Return the significant digits of a number, without sign, point and exponent."""
    mantissa = re.split("[eE]", text, maxsplit=1)[0]
    return mantissa.lstrip("+-").replace(".", "").strip("0")


def shown(text: str) -> str:
    """Return the beginning of a long text, for a message."""
    return text if len(text) <= 40 else f"{text[:40]}…"


def written(value: float) -> str:
    """Format a number for people: a whole one in full, a fraction by its digits.

    What binary arithmetic adds far behind the last digit (0.1 + 0.2 is 0.30000000000000004) is left out; digits that are no
    such noise are all there.
    """
    if isinstance(value, int):
        return str(value)
    short = Decimal(f"{value:.15g}").normalize()
    exact = short if len(short.as_tuple().digits) <= _NOISE_FREE_DIGITS else Decimal(repr(value))
    return _plain(exact.normalize())


def _plain(value: Decimal) -> str:
    """Write without an exponent from 1e-6 up to 21 digits, as Step Functions does."""
    exponent = value.adjusted()
    if -7 < exponent < MOST_PLAIN_EXPONENT:
        return format(value, "f") if value else "0"
    sign, digits, _ = value.as_tuple()
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    fraction = f".{rest}" if rest else ""
    return f"{'-' if sign else ''}{first}{fraction}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


def as_written(value: Any) -> Any:
    """Return a number, or a text that is one, unchanged; raise `ValueError` for others."""
    if isinstance(value, bool) or (isinstance(value, str) and not _is_number(value)):
        raise ValueError(f"{shown(str(value))!r} is not a number as JSON writes it")
    return value


Whole = Annotated[int, BeforeValidator(as_written)]
Fraction = Annotated[float, BeforeValidator(as_written)]
Exact = Annotated[Decimal, BeforeValidator(as_written)]


def misread(given: Any, taken: Any, path: str = "") -> Iterator[str]:
    """List the texts that a model took for numbers although JSON would not write them so.

    Args:
        given: What was sent.
        taken: What a model made of it.
        path: The path of the two values.
    """
    if isinstance(given, str):
        if isinstance(taken, int | float | Decimal) and not isinstance(taken, bool) and not _is_number(given):
            yield f"{path}: {shown(given)!r} is not a number"
        return
    for name, one, other in _pairs(given, taken):
        yield from misread(one, other, f"{path}.{name}" if path else name)


def _pairs(given: Any, taken: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(given, dict) and isinstance(taken, BaseModel):
        for name, field in type(taken).model_fields.items():
            found = given.get(field.alias or name, given.get(name))
            yield name, found, getattr(taken, name)
    elif isinstance(given, dict) and isinstance(taken, dict):
        yield from ((str(name), given[name], taken[name]) for name in given.keys() & taken.keys())
    elif isinstance(given, list) and isinstance(taken, list | tuple):
        yield from ((str(at), *both) for at, both in enumerate(zip(given, taken, strict=False)))


def _is_number(text: str) -> bool:
    return is_written_as_json(text) and not math.isinf(float(text))
