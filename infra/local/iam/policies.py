"""Policy documents and their conditions, compiled into predicates over a request.

Operators and the meaning of a missing key follow the IAM guide's reference of condition operators: a key that the
request lacks fails every positive comparison, passes every negated one, and passes every operator with `IfExists`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
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
        _test(operator, key.lower(), [_value_text(value) for value in _listed(values)])
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


def _value_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_Match = Callable[[str], bool]
_MAX_REMEMBERED = 4096


class Decision(Enum):
    """Whether a request is allowed, and why."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "no statement allows it"
    DENIED = "a statement denies it"


@dataclass(frozen=True)
class Statement:
    """One compiled statement."""

    denies: bool
    actions: _Match
    resources: _Match
    condition: Test | None

    def applies(self, action: str, resource: str, context: Context) -> bool:
        """Return whether the statement is about this request."""
        if not (self.actions(action) and self.resources(resource)):
            return False
        return self.condition is None or self.condition(context)


class Policies:
    """All statements of one role: a denial wins, and what no statement allows is refused."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Compile the documents."""
        statements = [_compiled(found) for document in documents for found in _statements(document)]
        self._statements = sorted(statements, key=lambda statement: not statement.denies)
        self._is_unconditional = all(statement.condition is None for statement in statements)
        self._remembered: dict[tuple[str, str], Decision] = {}

    def decide(self, action: str, resource: str, context: Callable[[], Context]) -> Decision:
        """Decide on one action and one resource; `context` is called only for conditions."""
        if not self._is_unconditional:
            return self._decide(action, resource, context())
        request = (action, resource)
        found = self._remembered.get(request)
        if found is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[request] = self._decide(action, resource, {})
        return found

    def _decide(self, action: str, resource: str, context: Context) -> Decision:
        for statement in self._statements:
            if statement.applies(action, resource, context):
                return Decision.DENIED if statement.denies else Decision.ALLOWED
        return Decision.NOT_ALLOWED


def _statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


def _compiled(statement: Mapping[str, Any]) -> Statement:
    block = statement.get("Condition")
    return Statement(
        denies=statement["Effect"] == "Deny",
        actions=_matcher(statement, "Action", ignores_case=True),
        resources=_matcher(statement, "Resource", ignores_case=False),
        condition=compile_conditions(block) if block else None,
    )


def _matcher(statement: Mapping[str, Any], word: str, *, ignores_case: bool) -> _Match:
    """Compile `Action` or `NotAction` (`Resource` or `NotResource`).

    The wildcards of an ARN may match its slashes and colons.
    """
    is_negated = f"Not{word}" in statement
    given = statement[f"Not{word}"] if is_negated else statement[word]
    patterns = [
        wildcard(one, ignores_case=ignores_case) for one in ([given] if isinstance(given, str) else given)
    ]
    return lambda value: any(pattern(value) for pattern in patterns) != is_negated
