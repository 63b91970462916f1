"""The meaning of an unquoted YAML scalar by YAML 1.2: `no` is a text, so is a date."""

from __future__ import annotations

import re
from typing import Any, Final

from stepward.domain.numbers import LARGEST_SAFE_WHOLE, NotANumber, decimal_of, shown, whole_of

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_OTHER_BASE: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+")
_ENDLESS: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def plain(text: str) -> Any:
    """Parse an unquoted scalar; a number with a leading zero is a text, such as a code.

    Raises:
        NotANumber: It has digits that would be lost.
    """
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in "+-.0123456789" or _LEADING_ZERO.fullmatch(text):
        return text
    if _ENDLESS.fullmatch(text):
        raise NotANumber(f"{text} is not a JSON number")
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        return number(text)
    return _within(int(text, 0), text) if _OTHER_BASE.fullmatch(text) else text


def number(text: str) -> int | float:
    """Parse a number's digits.

    Raises:
        NotANumber: They would be lost.
    """
    return _within(whole_of(text), text) if _INTEGER.fullmatch(text) else decimal_of(text)


def _within(value: int, text: str) -> int:
    if abs(value) > LARGEST_SAFE_WHOLE:
        raise NotANumber(f"{shown(text)} is larger than every reader keeps exactly")
    return value
