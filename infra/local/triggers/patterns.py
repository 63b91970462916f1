"""Whether an event fits a pattern: EventBridge's language, which the filters of event source mappings speak too.

moto's matcher does not look into arrays of objects, and takes the first word of a matcher for all of it.
Source: "Comparison operators for use in event patterns" of the EventBridge guide.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MISSING = object()
_NUMERIC: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Every field of the pattern has to fit; `$or` offers a choice of patterns."""
    return all(_field_fits(name, wanted, event) for name, wanted in pattern.items())


def _field_fits(name: str, wanted: Any, event: Any) -> bool:
    if name == "$or" and isinstance(wanted, Sequence):
        return any(matches(choice, event) for choice in wanted)
    if isinstance(event, list):
        return any(_field_fits(name, wanted, item) for item in event)
    value = event.get(name, MISSING) if isinstance(event, Mapping) else MISSING
    if isinstance(wanted, Mapping):
        return matches(wanted, {} if value is MISSING else value)
    return any(_fits(matcher, value) for matcher in wanted)


def _fits(matcher: Any, value: Any) -> bool:
    """Compare one matcher with a value; of a list, any item may fit."""
    if isinstance(matcher, Mapping) and "exists" in matcher:
        is_leaf = value is not MISSING and not isinstance(value, Mapping)
        return is_leaf is bool(matcher["exists"])
    if value is MISSING:
        return False
    if isinstance(value, list):
        if isinstance(matcher, Mapping) and "anything-but" in matcher:
            return all(_fits(matcher, item) for item in value)
        return any(_fits(matcher, item) for item in value)
    if not isinstance(matcher, Mapping):
        return _same(matcher, value)
    return all(_MATCHERS[name](argument, value) for name, argument in matcher.items())


def _same(wanted: Any, value: Any) -> bool:
    return bool(wanted == value) and isinstance(wanted, bool) == isinstance(value, bool)


def _text(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """Make a matcher of texts out of a comparison; it may be given a list, or be told to ignore case."""

    def fits(argument: Any, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(argument, Mapping):
            return test(argument["equals-ignore-case"].lower(), value.lower())
        return any(test(one, value) for one in _listed(argument))

    return fits


def _listed(argument: Any) -> Sequence[Any]:
    return argument if isinstance(argument, list) else [argument]


def _numeric(comparisons: Sequence[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    pairs = zip(comparisons[::2], comparisons[1::2], strict=True)
    return all(_NUMERIC[sign](value, number) for sign, number in pairs)


def _anything_but(argument: Any, value: Any) -> bool:
    if isinstance(argument, Mapping):
        return not any(_MATCHERS[name](inner, value) for name, inner in argument.items())
    return not any(_same(one, value) for one in _listed(argument))


def _in_network(argument: str, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(argument, strict=False)
    except ValueError:
        return False


def _wildcard(pattern: str, value: str) -> bool:
    parts = re.findall(r"\\[*\\]|.", pattern, re.DOTALL)
    regex = "".join(".*" if part == "*" else re.escape(part[-1]) for part in parts)
    return re.fullmatch(regex, value, re.DOTALL) is not None


_MATCHERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "prefix": _text(lambda start, value: value.startswith(start)),
    "suffix": _text(lambda end, value: value.endswith(end)),
    "equals-ignore-case": _text(lambda wanted, value: value.lower() == wanted.lower()),
    "wildcard": _text(_wildcard),
    "numeric": _numeric,
    "anything-but": _anything_but,
    "cidr": _in_network,
}
