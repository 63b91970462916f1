"""What an unquoted word of YAML means: as YAML 1.2 has it, so that `no` is a word and a date stays as it was written."""

from __future__ import annotations

import math
import re
from typing import Any, Final

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_OTHER_BASE: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+")
_ENDLESS: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
LARGEST_INTEGER: Final = 2**53 - 1
"""Beyond it JSON's readers do not agree on the digits; the state machine's are among them."""


class NotANumber(ValueError):
    """A number that JSON cannot say, or that its readers would not read alike."""


def plain(text: str) -> Any:
    """Read an unquoted word; raises `NotANumber`. A number with a leading zero is a text, for it is a code, not a count."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in "+-.0123456789" or _LEADING_ZERO.fullmatch(text):
        return text
    if _ENDLESS.fullmatch(text):
        raise NotANumber(f"{text} is no number that JSON knows")
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        return number(text)
    return _within(int(text, 0)) if _OTHER_BASE.fullmatch(text) else text


def number(text: str) -> int | float:
    """Read a number's digits; raises `NotANumber`."""
    if _INTEGER.fullmatch(text):
        if len(text) > 17:
            raise NotANumber(f"{text[:20]}… has more digits than every reader keeps")
        return _within(int(text))
    value = float(text)
    if math.isinf(value):
        raise NotANumber(f"{text[:20]} is too large")
    return value


def _within(value: int) -> int:
    if abs(value) > LARGEST_INTEGER:
        raise NotANumber(f"{value} is larger than every reader keeps exactly")
    return value
