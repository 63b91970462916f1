"""Whether an event fits a pattern: the part of EventBridge's pattern language that triggers take.

Values, `prefix`, `suffix`, `equals-ignore-case`, `anything-but`, `numeric` and `exists`; a list of an event fits if one of
its items does. Everything else that EventBridge knows is refused when the trigger is made.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator

MAX_FIELDS: Final = 100
_MISSING: Final = object()
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


def _checked(pattern: dict[str, Any]) -> dict[str, Any]:
    if sum(1 for _ in _leaves(pattern, "")) > MAX_FIELDS:
        raise ValueError(f"a pattern may have {MAX_FIELDS} fields")
    for where, wanted in _leaves(pattern, ""):
        if not isinstance(wanted, list) or not wanted:
            raise ValueError(f"{where}: list the values that match, as in [{wanted!r}]")
        for matcher in wanted:
            _check_matcher(where, matcher)
    return pattern


def _leaves(pattern: Mapping[str, Any], path: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, wanted in pattern.items():
        where = f"{path}.{name}" if path else str(name)
        found += _leaves(wanted, where) if isinstance(wanted, dict) else [(where, wanted)]
    return found


def _check_matcher(where: str, matcher: Any) -> None:
    if isinstance(matcher, list):
        raise ValueError(f"{where}: a list inside a list of values matches nothing")  # noqa: TRY004  pydantic's
    if not isinstance(matcher, dict):
        return
    if len(matcher) != 1 or next(iter(matcher)) not in _MATCHERS:
        known = ", ".join(_MATCHERS)
        raise ValueError(f"{where}: {matcher!r} is no matcher; write one of: {known}")
    name, argument = next(iter(matcher.items()))
    if not _TAKES[name](argument):
        raise ValueError(f"{where}: {name} does not take {argument!r}")


def fits(pattern: Mapping[str, Any], event: Any) -> bool:
    """Tell whether every field of the pattern fits the event."""
    return all(_field_fits(name, wanted, event) for name, wanted in pattern.items())


def _field_fits(name: str, wanted: Any, event: Any) -> bool:
    if isinstance(event, list):
        return any(_field_fits(name, wanted, item) for item in event)
    value = event.get(name, _MISSING) if isinstance(event, Mapping) else _MISSING
    if isinstance(wanted, Mapping):
        return fits(wanted, {} if value is _MISSING else value)
    return any(_matches(matcher, value) for matcher in wanted)


def _matches(matcher: Any, value: Any) -> bool:
    if isinstance(matcher, Mapping):
        name, argument = next(iter(matcher.items()))
        if name == "exists":
            return (value is not _MISSING and not isinstance(value, Mapping)) is argument
        if value is _MISSING:
            return False
        items = value if isinstance(value, list) else [value]
        choose = all if name == "anything-but" else any
        return choose(_MATCHERS[name](argument, item) for item in items)
    if isinstance(value, list):
        return any(_same(matcher, item) for item in value)
    return value is not _MISSING and _same(matcher, value)


def _same(wanted: Any, value: Any) -> bool:
    return bool(wanted == value) and isinstance(wanted, bool) == isinstance(value, bool)


def _anything_but(argument: Any, value: Any) -> bool:
    return not any(_same(one, value) for one in (argument if isinstance(argument, list) else [argument]))


def _numeric(comparisons: list[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    pairs = zip(comparisons[::2], comparisons[1::2], strict=True)
    return all(_COMPARISONS[sign](value, number) for sign, number in pairs)


def _is_comparison(argument: Any) -> bool:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        return False
    numbers = [number for number in argument[1::2] if not isinstance(number, bool)]
    return all(sign in _COMPARISONS for sign in argument[::2]) and len(numbers) * 2 == len(argument) and all(
        isinstance(number, int | float) for number in numbers
    )  # fmt: skip


def _is_text(argument: Any) -> bool:
    return isinstance(argument, str) and argument != ""


def _is_plain(argument: Any) -> bool:
    items = argument if isinstance(argument, list) else [argument]
    return bool(items) and not any(isinstance(item, list | dict) for item in items)


_MATCHERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "prefix": lambda start, value: isinstance(value, str) and value.startswith(start),
    "suffix": lambda end, value: isinstance(value, str) and value.endswith(end),
    "equals-ignore-case": lambda text, value: isinstance(value, str) and value.lower() == text.lower(),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": lambda wanted, value: wanted is (value is not _MISSING),
}
_TAKES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "prefix": _is_text,
    "suffix": _is_text,
    "equals-ignore-case": _is_text,
    "anything-but": _is_plain,
    "numeric": _is_comparison,
    "exists": lambda argument: isinstance(argument, bool),
}

Pattern = Annotated[dict[str, Any], AfterValidator(_checked)]
