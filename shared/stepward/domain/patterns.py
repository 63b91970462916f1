"""Match events against EventBridge patterns, for triggers and event source filters.

Every field of a pattern has to match; of the values that a field lists, one. A list in an event matches if
one of its items does; fields inside a list of objects have to match the same object. `$or` offers a choice of
patterns. A name with dots is a path. What EventBridge refuses is refused when a pattern is made. Standard
library only, so that the laptop's bus can compare by this same module.

Source: "Event patterns" of the EventBridge guide, and the rules of its matcher, Event Ruler.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from stepward.domain.event_matchers import MATCHERS, ArgumentRefused, same

MAX_DEPTH: Final = 50
_MISSING: Final = object()
_NO_LEAF: Final = "Match value must be String, number, true, false, or null"


class PatternRefused(ValueError):
    """A pattern that EventBridge refuses: `where` in it, for which `reason`, and the `fix`."""

    def __init__(self, where: str, reason: str, fix: str) -> None:
        super().__init__(f"{where}: {reason}; {fix}" if where else f"{reason}; {fix}")
        self.where = where
        self.reason = reason


def check_pattern(pattern: Mapping[str, Any]) -> int:
    """Refuse a pattern that EventBridge refuses.

    Args:
        pattern: A whole pattern, or one of an event's `detail`; `{}` fits everything.

    Returns:
        How many fields are compared.

    Raises:
        PatternRefused: It names the field, EventBridge's reason and what to write.
    """
    fields = list(_leaves(pattern, "", 0))
    for where, wanted in fields:
        if not isinstance(wanted, list):
            raise PatternRefused(
                where,
                f'"{where.rpartition(".")[2]}" must be an object or an array',
                f"list the values that match, as in [{wanted!r}]",
            )
        if not wanted:
            raise PatternRefused(where, "Empty arrays are not allowed", "list the values that match")
        for matcher in wanted:
            _check_matcher(where, matcher)
    return len(fields)


def _leaves(pattern: Mapping[str, Any], path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > MAX_DEPTH:
        raise PatternRefused(path, f"a pattern may be nested {MAX_DEPTH} deep", "compare what lies higher")
    for name, wanted in pattern.items():
        where = f"{path}.{name}" if path else str(name)
        if is_choice(name, wanted):
            for number, choice in enumerate(wanted):
                yield from _leaves(choice, f"{where}[{number}]", depth + 1)
        elif isinstance(wanted, Mapping):
            if not wanted:
                raise PatternRefused(
                    where, "Empty objects are not allowed", "name a field in it that has to match"
                )
            yield from _leaves(wanted, where, depth + 1)
        else:
            yield where, wanted


def is_choice(name: str, wanted: Any) -> bool:
    """Return True if a field is EventBridge's `$or` of two patterns or more."""
    return (
        name == "$or"
        and isinstance(wanted, list)
        and len(wanted) > 1
        and all(isinstance(one, Mapping) and one and not set(one) & set(MATCHERS) for one in wanted)
    )


def _check_matcher(where: str, matcher: Any) -> None:
    if isinstance(matcher, list):
        raise PatternRefused(where, _NO_LEAF, "a list inside a list of values matches nothing; take it apart")
    if not isinstance(matcher, Mapping):
        return
    names, known = list(matcher), ", ".join(MATCHERS)
    if len(names) != 1:
        raise PatternRefused(
            where, "Only one key allowed in match expression", f"write one matcher of: {known}"
        )
    kind = MATCHERS.get(names[0])
    if kind is None:
        raise PatternRefused(where, f"Unrecognized match type {names[0]}", f"write one matcher of: {known}")
    try:
        kind.check(matcher[names[0]])
    except ArgumentRefused as error:
        raise PatternRefused(where, str(error), f"write {names[0]} as in {kind.example}") from None


def fits(pattern: Mapping[str, Any], event: Any) -> bool:
    """Return True if an event matches a checked pattern."""
    return _Comparison(event).fits(pattern, event, ())


class _Comparison:
    """One comparison, which caches the paths without a leaf anywhere in the event."""

    def __init__(self, event: Any) -> None:
        self._event = event

    @cached_property
    def _found(self) -> dict[tuple[str, ...], bool]:
        return {}

    def fits(self, pattern: Mapping[str, Any], value: Any, path: tuple[str, ...]) -> bool:
        """Compare a pattern's fields with one object, or with a list's objects until one fits."""
        items = list(_items(value)) if isinstance(value, list) else [value]
        return any(self._object_fits(pattern, item, path) for item in items or [_MISSING])

    def _object_fits(self, pattern: Mapping[str, Any], item: Any, path: tuple[str, ...]) -> bool:
        return all(self._field_fits(name, wanted, item, path) for name, wanted in pattern.items())

    def _field_fits(self, name: str, wanted: Any, item: Any, path: tuple[str, ...]) -> bool:
        if is_choice(name, wanted):
            return any(self._object_fits(choice, item, path) for choice in wanted)
        first, dot, rest = name.partition(".")
        inner = {rest: wanted} if dot else wanted
        value, here = _child(item, first), (*path, first)
        if isinstance(inner, Mapping):
            return self.fits(inner, value, here)
        return any(self._leaf_fits(matcher, value, here) for matcher in inner)

    def _leaf_fits(self, matcher: Any, value: Any, path: tuple[str, ...]) -> bool:
        if not isinstance(matcher, Mapping):
            return any(same(matcher, leaf) for leaf in _leaf_values(value))
        name, argument = next(iter(matcher.items()))
        if name == "exists" and argument is False:
            return not self._is_anywhere(path)
        return any(MATCHERS[name].fits(argument, leaf) for leaf in _leaf_values(value))

    def _is_anywhere(self, path: tuple[str, ...]) -> bool:
        if path not in self._found:
            values = [self._event]
            for name in path:
                values = [_child(item, name) for value in values for item in _items(value)]
            self._found[path] = any(True for value in values for _ in _leaf_values(value))
        return self._found[path]


def _child(item: Any, name: str) -> Any:
    """Return an object's value under a name; a key with dots counts as a path."""
    if not isinstance(item, Mapping):
        return _MISSING
    start = f"{name}."
    found = [{key[len(start) :]: value} for key, value in item.items() if key.startswith(start)]
    if name in item:
        found.insert(0, item[name])
    return (found[0] if len(found) == 1 else found) if found else _MISSING


def _leaf_values(value: Any) -> Iterator[Any]:
    return (item for item in _items(value) if item is not _MISSING and not isinstance(item, Mapping))


def _items(value: Any) -> Iterator[Any]:
    """Return a value, or the items of a list and of the lists in it."""
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, list):
            rest.extend(reversed(item))
        else:
            yield item
