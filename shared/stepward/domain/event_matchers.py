"""The matchers of EventBridge's patterns: their arguments, and the values they match.

A value is a leaf of an event: text, a number, true, false or null. Standard library only.
Source: "Comparison operators" of the EventBridge guide; the reasons of refusals are EventBridge's own.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Number
from typing import Any, Final

LARGEST_NUMBER: Final = 5e9
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
_ESCAPES: Final = re.compile(r"\\(.|$)", re.DOTALL)
_PARTS: Final = re.compile(r"(?:\\.|[^*\\])+|\*", re.DOTALL)


class ArgumentRefused(ValueError):
    """A matcher does not take its argument; the text is EventBridge's reason."""


@dataclass(frozen=True)
class Matcher:
    """One kind of matcher.

    Args:
        check: Raises ArgumentRefused if it does not take an argument.
        fits: Tells whether an argument that was checked fits a leaf.
        example: How it is written.
    """

    check: Callable[[Any], None]
    fits: Callable[[Any, Any], bool]
    example: str


def is_number(value: Any) -> bool:
    """Return True for a number that is no boolean."""
    return isinstance(value, Number) and not isinstance(value, bool)


def same(wanted: Any, value: Any) -> bool:
    """Compare two leaves: 300 equals 300.0, and true does not equal 1."""
    return bool(wanted == value) and isinstance(wanted, bool) == isinstance(value, bool)


def _by_text(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """Turn a comparison of texts into one of leaves.

    The argument may be a list, or an object that ignores case.
    """

    def fits(argument: Any, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(argument, Mapping):
            return test(argument["equals-ignore-case"].lower(), value.lower())
        return any(test(one, value) for one in (argument if isinstance(argument, list) else [argument]))

    return fits


def _text_or_caseless(name: str) -> Callable[[Any], None]:
    def check(argument: Any) -> None:
        if isinstance(argument, Mapping) and set(argument) == {"equals-ignore-case"}:
            argument = argument["equals-ignore-case"]
        if not isinstance(argument, str):
            raise ArgumentRefused(f"{name} match pattern must be a string")

    return check


def _text(name: str) -> Callable[[Any], None]:
    def check(argument: Any) -> None:
        if not isinstance(argument, str):
            raise ArgumentRefused(f"{name} match pattern must be a string")

    return check


def _check_wildcard(argument: Any) -> None:
    if not isinstance(argument, str):
        raise ArgumentRefused("wildcard match pattern must be a string")
    for escape in _ESCAPES.finditer(argument):
        if escape[1] not in ("*", "\\"):
            raise ArgumentRefused(f"Invalid escape character at pos {escape.start()}")
    position = 0
    for part in _PARTS.findall(argument):
        if part == "*" and argument[position + 1 : position + 2] == "*":
            raise ArgumentRefused(f"Consecutive wildcard characters at pos {position}")
        position += len(part)


def _wildcard(pattern: str, value: str) -> bool:
    """Compare piece by piece, in time linear in the text's length times the pattern's."""
    first, *others = _pieces(pattern)
    if not others:
        return first == value
    last = others.pop()
    if len(value) < len(first) + len(last) or not value.startswith(first) or not value.endswith(last):
        return False
    place, end = len(first), len(value) - len(last)
    for piece in others:
        found = value.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def _pieces(pattern: str) -> list[str]:
    pieces = [""]
    for part in _PARTS.findall(pattern):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += _ESCAPES.sub(lambda escape: escape[1], part)
    return pieces


def _check_numeric(argument: Any) -> None:
    if not isinstance(argument, list) or not argument:
        raise ArgumentRefused("numeric match takes a list, as in [\">\", 0, \"<=\", 5]")  # fmt: skip
    sign, rest = argument[0], argument[2:]
    if sign not in _COMPARISONS:
        raise ArgumentRefused(f"Unrecognized numeric range operator: {sign}")
    low = _bound(sign, argument[1:2])
    if not rest:
        return
    if sign not in (">", ">="):
        raise ArgumentRefused("Too many elements in numeric expression")
    if rest[0] not in ("<", "<="):
        raise ArgumentRefused(f"Bad numeric range operator: {rest[0]}")
    if _bound(rest[0], rest[1:2]) <= low:
        raise ArgumentRefused("Bottom must be less than top")
    if len(rest) > 2:
        raise ArgumentRefused("Too many terms in numeric range expression")


def _bound(sign: str, given: list[Any]) -> float:
    if not given or not is_number(given[0]):
        raise ArgumentRefused(f"Value of {'equals' if sign == '=' else sign} must be numeric")
    if not -LARGEST_NUMBER <= given[0] <= LARGEST_NUMBER:
        raise ArgumentRefused(f"Value must be between {-LARGEST_NUMBER} and {LARGEST_NUMBER}, inclusive")
    return float(given[0])


def _numeric(comparisons: list[Any], value: Any) -> bool:
    if not is_number(value):
        return False
    pairs = zip(comparisons[::2], comparisons[1::2], strict=True)
    return all(_COMPARISONS[sign](value, number) for sign, number in pairs)


def _check_network(argument: Any) -> None:
    if not isinstance(argument, str):
        raise ArgumentRefused("prefix match pattern must be a string")
    address, slash, bits = argument.partition("/")
    if not slash or "/" in bits:
        raise ArgumentRefused("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"\d{1,3}", bits, re.ASCII):
        raise ArgumentRefused("Malformed CIDR, mask bits must be an integer")
    try:
        most = ipaddress.ip_address(address).max_prefixlen
    except ValueError:
        raise ArgumentRefused(f"Nonstandard IP address: {address}") from None
    if int(bits) > most:
        raise ArgumentRefused(f"Malformed CIDR, mask bits must be at most {most}")


def _in_network(argument: str, value: Any) -> bool:
    try:
        return isinstance(value, str) and ipaddress.ip_address(value) in ipaddress.ip_network(
            argument, strict=False
        )
    except ValueError:
        return False


def _check_exists(argument: Any) -> None:
    if not isinstance(argument, bool):
        raise ArgumentRefused("exists match pattern must be either true or false.")


def _check_anything_but(argument: Any) -> None:
    single = "Value of anything-but must be an array or single string/number value."
    if isinstance(argument, Mapping):
        _check_excepted(argument, single)
        return
    items = argument if isinstance(argument, list) else [argument]
    texts = sum(isinstance(item, str) for item in items)
    if not items:
        raise ArgumentRefused("Empty arrays are not allowed")
    if any(not isinstance(item, str) and not is_number(item) for item in items):
        inside = "Inside anything but list, start|null|boolean is not supported."
        raise ArgumentRefused(inside if isinstance(argument, list) else single)
    if texts not in (0, len(items)):
        raise ArgumentRefused(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
        )


def _check_excepted(argument: Mapping[str, Any], single: str) -> None:
    name = next(iter(argument), None)
    if len(argument) != 1 or name not in ("prefix", "suffix", "wildcard", "equals-ignore-case"):
        raise ArgumentRefused(f"Unsupported anything-but pattern: {name}")
    given = argument[name]
    if name in ("prefix", "suffix") and isinstance(given, Mapping):
        raise ArgumentRefused(single)
    for text in given if isinstance(given, list) and given else [given]:
        _check_excepted_text(name, text)


def _check_excepted_text(name: str, text: Any) -> None:
    if name == "wildcard":
        _check_wildcard(text)
    elif name == "equals-ignore-case" and not isinstance(text, str):
        raise ArgumentRefused(
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
        )
    elif not isinstance(text, str):
        raise ArgumentRefused("prefix/suffix match pattern must be a string")
    elif name != "equals-ignore-case" and not text:
        raise ArgumentRefused("Null prefix/suffix not allowed")


def _anything_but(argument: Any, value: Any) -> bool:
    if isinstance(argument, Mapping):
        return not any(MATCHERS[name].fits(inner, value) for name, inner in argument.items())
    return not any(same(one, value) for one in (argument if isinstance(argument, list) else [argument]))


MATCHERS: Final[Mapping[str, Matcher]] = {
    "prefix": Matcher(
        _text_or_caseless("prefix"),
        _by_text(lambda start, value: value.startswith(start)),
        '{"prefix": "in/"}',
    ),
    "suffix": Matcher(
        _text_or_caseless("suffix"), _by_text(lambda end, value: value.endswith(end)), '{"suffix": ".csv"}'
    ),
    "equals-ignore-case": Matcher(
        _text("equals-ignore-case"),
        _by_text(lambda wanted, value: value.lower() == wanted.lower()),
        '{"equals-ignore-case": "paid"}',
    ),
    "wildcard": Matcher(_check_wildcard, _by_text(_wildcard), '{"wildcard": "in/*.csv"}'),
    "anything-but": Matcher(_check_anything_but, _anything_but, '{"anything-but": ["a", "b"]}'),
    "numeric": Matcher(_check_numeric, _numeric, '{"numeric": [">", 0, "<=", 5]}'),
    "cidr": Matcher(_check_network, _in_network, '{"cidr": "10.0.0.0/24"}'),
    # The existence of a leaf is checked by `patterns.fits` itself.
    "exists": Matcher(_check_exists, lambda wanted, _: bool(wanted), '{"exists": true}'),
}
