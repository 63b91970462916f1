"""Check pictures of numbers and times, which the library evaluates without a limit."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from jsonata.datetimeutils import DateTimeUtils

from stepward.expressions.bounds import Exceeded

LONGEST_PICTURE_CHARS: Final = 200
_WIDTHS: Final = re.compile(r"\[[^\],]*,([^\]]*)\]")
_WIDTH: Final = re.compile(r"\s*(\*|[0-9]{1,2})(-(\*|[0-9]{1,2}))?\s*")
_MARKER: Final = re.compile(r"\[[^\]]*\]")
_SPECIAL: Final = re.compile(r"[*+?^${}()|\\]")
_LARGEST: Final = {"I": 100_000, "W": 10**15, "WW": 10**15}
_LONG_NAMES: Final = frozenset({"infinity", "NaN"})


def check_picture(*texts: Any) -> None:
    """Refuse a picture, or a text read by one, that is too long or too wide."""
    for text in texts:
        if isinstance(text, str) and len(text) > LONGEST_PICTURE_CHARS:
            raise Exceeded(
                f"a picture, or what is read by it, has more than {LONGEST_PICTURE_CHARS} characters"
            )
        for width in _WIDTHS.findall(text) if isinstance(text, str) else ():
            if not _WIDTH.fullmatch(width):
                raise Exceeded(
                    f"the width {width!r} in a picture is not one or two numbers below 100, as in 2-4"
                )


def check_integer_picture(value: Any, picture: Any) -> None:
    """Refuse numbers that the library would write in an unbounded number of letters."""
    check_picture(picture)
    name = picture.partition(";")[0].upper() if isinstance(picture, str) else ""
    if isinstance(value, int | float) and abs(value) > _LARGEST.get(name, math.inf):
        raise Exceeded(f"{value} is too large to be written as {picture!r}; {_LARGEST[name]:,} is the most")


def check_number_picture(picture: Any, options: Any) -> None:
    """Refuse signs of more than one character, of which the library makes a slow pattern."""
    check_picture(picture)
    for name, sign in options.items() if isinstance(options, dict) else ():
        if (
            not isinstance(sign, str)
            or len(sign) > (LONGEST_PICTURE_CHARS if name in _LONG_NAMES else 1)
            or not sign
        ):
            raise Exceeded(f"{name} of $formatNumber is not one character")


def fits(text: Any, picture: Any) -> bool:
    """Return whether a text is a time by a picture; refuse one with a slow pattern.

    The library makes a pattern of Python's, which tries all ways to share digits out between adjacent parts. So each
    part may be there once, and texts that do not match at all are found by a pattern in linear time.
    """
    if not isinstance(text, str) or not isinstance(picture, str):
        return True
    check_picture(text, picture)
    markers = [marker[1:2] for marker in _MARKER.findall(picture)]
    if len(set(markers)) < len(markers):
        raise Exceeded("a picture to read a time by has the same part twice")
    if _SPECIAL.search(_MARKER.sub("", picture)):
        raise Exceeded("a picture to read a time by holds one of * + ? ^ $ { } ( ) | \\")
    return bool(_pattern_of(picture).search(text))


def _pattern_of(picture: str) -> Any:
    import re2  # noqa: PLC0415  only expressions with a pattern pay for it

    parts = DateTimeUtils._generate_regex(DateTimeUtils._analyse_datetime_picture(picture)).parts  # noqa: SLF001
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    return re2.compile("^" + "".join(f"({part.regex})" for part in parts) + "$", options)
