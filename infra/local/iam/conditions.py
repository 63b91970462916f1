"""The `Condition` block of a statement, compiled into one predicate over the context.

Operators and the meaning of a missing key follow the IAM guide's reference of condition operators: a key that the
request lacks fails every positive comparison, passes every negated one, and passes every operator with `IfExists`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

Context = Mapping[str, Sequence[str]]
"""Condition key in lower case → its values in the request."""

Test = Callable[[Context], bool]
_Compare = Callable[[str, str], bool]


class UnknownCondition(ValueError):
    """A policy has a condition that the laptop cannot decide, and must not guess."""


def compile_conditions(block: Mapping[str, Mapping[str, Any]]) -> Test:
    """Compile a block, of which every key of every operator has to hold."""
    tests = [
        _test(operator, key.lower(), [_text(value) for value in _listed(values)])
        for operator, keys in block.items()
        for key, values in keys.items()
    ]
    return lambda context: all(test(context) for test in tests)


@cache
def wildcard(pattern: str, *, ignores_case: bool = False) -> Callable[[str], object]:
    """Compile a pattern with IAM's `*` and `?`."""
    parts = (".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in pattern)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignores_case else 0)).fullmatch


def _test(operator: str, key: str, wanted: list[str]) -> Test:
    name, may_lack = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    quantifier, _, name = name.rpartition(":")
    if name == "Null":
        return lambda context: (key not in context) == (wanted == ["true"])
    is_negated = "Not" in name
    compare = _COMPARISONS.get(name.replace("Not", "", 1) if is_negated else name)
    if compare is None or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise UnknownCondition(f"the condition operator {operator} is not known on the laptop")

    def fits(value: str) -> bool:
        return any(compare(pattern, value) for pattern in wanted) != is_negated

    return _quantified(quantifier, key, fits, lacking=may_lack or (is_negated and not quantifier))


def _quantified(quantifier: str, key: str, fits: Callable[[str], bool], *, lacking: bool) -> Test:
    def test(context: Context) -> bool:
        values = context.get(key)
        if not values:
            return lacking or quantifier == "ForAllValues"
        chosen = any if quantifier == "ForAnyValue" else all
        return chosen(fits(value) for value in values)

    return test


def _number(compare: Callable[[float, float], bool]) -> _Compare:
    return lambda wanted, value: compare(float(value), float(wanted))


def _moment(compare: Callable[[datetime, datetime], bool]) -> _Compare:
    return lambda wanted, value: compare(datetime.fromisoformat(value), datetime.fromisoformat(wanted))


def _like(wanted: str, value: str) -> bool:
    return wildcard(wanted)(value) is not None


def _same_word(wanted: str, value: str) -> bool:
    return wanted.lower() == value.lower()


def _arn_like(wanted: str, value: str) -> bool:
    theirs, ours = wanted.split(":", 5), value.split(":", 5)
    return len(theirs) == len(ours) and all(map(_like, theirs, ours))


def _in_network(wanted: str, value: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)


_COMPARISONS: Mapping[str, _Compare] = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": _same_word,
    "StringLike": _like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _same_word,
    "IpAddress": _in_network,
    "NumericEquals": _number(float.__eq__),
    "NumericLessThan": _number(float.__lt__),
    "NumericLessThanEquals": _number(float.__le__),
    "NumericGreaterThan": _number(float.__gt__),
    "NumericGreaterThanEquals": _number(float.__ge__),
    "DateEquals": _moment(datetime.__eq__),
    "DateLessThan": _moment(datetime.__lt__),
    "DateLessThanEquals": _moment(datetime.__le__),
    "DateGreaterThan": _moment(datetime.__gt__),
    "DateGreaterThanEquals": _moment(datetime.__ge__),
}
"""The positive operators; a `Not` in the name negates them (`NotIpAddress`, `StringNotLike`)."""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
