"""The functions of the language, each with a bound on what it may create.

A function that is not named here creates at most a multiple of its arguments, in a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, Final

from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from stepward.expressions.bounded_pictures import (
    check_integer_picture,
    check_number_picture,
    check_picture,
    fits,
)
from stepward.expressions.bounds import CELL_BYTES, MAX_STEPS, Bounds
from stepward.expressions.linear_patterns import LinearPattern

Guard = Callable[..., None]

_GROWTH: Final = 12
"""One character of four bytes becomes twelve in a URL."""
_PIECE_BYTES: Final = 60
_LIST_BYTES: Final = 64
_COPY_BYTES: Final = 8
_UNMEASURED: Final = frozenset({"count", "exists", "type", "single", "lookup", "not", "boolean"})
"""Functions that look only at a value's type or at one item a step."""
_GIVE_WHAT_IS: Final = frozenset({"lookup", "reduce", "single", "boolean", "not"})
"""Functions whose result existed before, or was counted when it was made."""


class _Bounded(Jsonata.JNativeFunction):  # type: ignore[misc]  # the library declares no types
    """A function of the language within the bounds of the current evaluation."""

    def __init__(self, name: str, inner: Any) -> None:
        self.__dict__.update(vars(inner))
        self.function_name = name
        self.nargs = vars(inner).get("nargs") or inner.signature.get_number_of_args()
        self._name = name
        self._inner = inner
        self._guard = _GUARDS.get(name)

    def call(self, input: Any, args: Sequence[Any] | None) -> Any:  # noqa: A002  the library's name
        bounds: Bounds = Jsonata.CURRENT.jsonata.bounds
        bounds.step()
        given = list(args or ())
        if self._name not in _UNMEASURED:
            bounds.size_of(*given)
        if self._guard:
            self._guard(bounds, *given, *[None] * (self.nargs - len(given)))
        own = _OWN.get(self._name)
        found = own(self._inner, given) if own else self._inner.call(input, given)
        bounds.look()
        return self._kept(bounds, found, given)

    def _kept(self, bounds: Bounds, found: Any, given: list[Any]) -> Any:
        if isinstance(found, str):
            bounds.make_text(len(found))
        elif self._name == "append" and isinstance(found, list):
            bounds.joined(found, *given)
        elif self._name not in _GIVE_WHAT_IS:
            bounds.keep(found)
        return found


def bounded(environment: Any) -> Any:
    """Wrap all functions of an environment in bounds."""
    frame = Jsonata.Frame(environment)
    for name, function in _functions(environment).items():
        frame.bind(name, _Bounded(name, function))
    return frame


def _functions(environment: Any) -> dict[str, Any]:
    outer = _functions(environment.parent) if environment.parent else {}
    return {
        name: one
        for name, one in {**outer, **environment.bindings}.items()
        if isinstance(one, Jsonata.JFunction)
    }


def _pad(bounds: Bounds, text: str | None, width: Any, filler: str | None) -> None:
    if text is not None and isinstance(width, int | float):
        bounds.make_text(2 * int(min(abs(width), 1e15)) + len(filler or ""))


def _replace(bounds: Bounds, text: Any, pattern: Any, new: Any, limit: Any) -> None:
    if not isinstance(text, str):
        return
    if not isinstance(pattern, str):
        return  # A pattern counts by itself.
    found = text.count(pattern) if pattern else 0
    times = found if limit is None else int(min(found, max(0.0, float(limit))))
    written = len(new) * max(1, len(pattern)) if isinstance(new, str) and "$" in new else len(str(new))
    bounds.make_text(len(text) + times * written)
    # The library copies the rest of the text for each place that it finds.
    bounds.make(times * (_PIECE_BYTES + len(text) // 8))


def _split(bounds: Bounds, text: Any, separator: Any, limit: Any) -> None:
    del limit
    if isinstance(text, str) and isinstance(separator, str):
        bounds.make(_PIECE_BYTES * ((text.count(separator) if separator else len(text)) + 1) + len(text))


def _join(bounds: Bounds, texts: Any, separator: Any) -> None:
    if isinstance(texts, list):
        bounds.make_text(bounds.size_of(texts) + len(separator or "") * len(texts))


def _growing(times: int) -> Guard:
    """Return a guard that counts a multiple of the first argument."""

    def guard(bounds: Bounds, value: Any, *others: Any) -> None:
        del others
        bounds.make(times * bounds.size_of(value))

    return guard


def _pictured(check: Callable[..., None], first: int = 0) -> Guard:
    """Return a guard that checks the pictures among the arguments."""

    def guard(bounds: Bounds, *given: Any) -> None:
        del bounds
        check(*given[first:])

    return guard


def _string(bounds: Bounds, value: Any, prettify: Any) -> None:
    size = bounds.size_of(value)
    # Each value is on a line of its own, indented by two spaces a level.
    bounds.make_text(size + (size * 2 * bounds.height_of(value) if prettify else 0))


def _append(bounds: Bounds, first: Any, second: Any) -> None:
    bounds.make(CELL_BYTES * sum(len(one) if isinstance(one, list) else 1 for one in (first, second)))


def _partition(bounds: Bounds, items: Any, size: Any) -> None:
    if isinstance(items, list) and isinstance(size, int | float) and size >= 1:
        bounds.make(CELL_BYTES * len(items) + _LIST_BYTES * ceil(len(items) / size))


def _parse(bounds: Bounds, text: Any) -> None:
    if isinstance(text, str):
        bounds.make(_COPY_BYTES * len(text) + _LIST_BYTES * (text.count("[") + text.count("{")))


def _merge(bounds: Bounds, objects: Any) -> None:
    bounds.make(_COPY_BYTES * bounds.size_of(objects))


def _distinct(inner: Any, args: list[Any]) -> Any:
    """Remove duplicates by a set: the library compares each item with all others."""
    del inner
    items = args[0]
    if not isinstance(items, list) or len(items) <= 1:
        return items
    first_ones = {_identity(one): one for one in reversed(items)}
    kept, seen = [], set()
    for one in items:
        if (name := _identity(one)) not in seen:
            seen.add(name)
            kept.append(first_ones[name])
    return Utils.create_sequence_from_iter(kept) if isinstance(items, Utils.JList) else kept


def _identity(value: Any) -> Any:
    """Return a key that two values share if, and only if, they are equal."""
    if isinstance(value, dict):
        return (dict, frozenset((name, _identity(one)) for name, one in value.items()))
    return (list, tuple(map(_identity, value))) if isinstance(value, list) else value


def _spread(inner: Any, args: list[Any]) -> Any:
    """Split objects into one for each field; the library copies its result for each object."""
    del inner
    value = args[0]
    if isinstance(value, dict):
        return Utils.create_sequence_from_iter({name: one} for name, one in value.items())
    if not isinstance(value, list):
        return value
    spread = Utils.JList()
    for one in value:
        found = _spread(None, [one])
        if found is not None:
            spread.extend(found if isinstance(found, list) else [found])
    return spread


def _replaced(inner: Any, args: list[Any]) -> Any:
    """Replace the first matches.

    The library searches as often as the limit says, in what it has replaced too.
    """
    text, pattern, new, limit = (*args, None)[:4]
    if isinstance(pattern, LinearPattern) and isinstance(limit, int | float) and limit >= 0:
        return inner.call(None, [text, pattern.first(ceil(min(limit, MAX_STEPS))), new])
    return inner.call(None, args)


def _to_millis(inner: Any, args: list[Any]) -> Any:
    """Parse a time; one that does not match its picture is undefined."""
    return inner.call(None, args) if fits(args[0], (*args, None)[1]) else None


_OWN: Final[dict[str, Callable[[Any, list[Any]], Any]]] = {
    "distinct": _distinct,
    "replace": _replaced,
    "spread": _spread,
    "toMillis": _to_millis,
}

_GUARDS: Final[dict[str, Guard]] = {
    "append": _append,
    "base64encode": _growing(3),
    "base64decode": _growing(3),
    "clone": _growing(_COPY_BYTES),
    "decodeUrl": _growing(3),
    "decodeUrlComponent": _growing(3),
    "distinct": _growing(_COPY_BYTES),
    "encodeUrl": _growing(_GROWTH),
    "encodeUrlComponent": _growing(_GROWTH),
    "formatInteger": _pictured(check_integer_picture),
    "formatNumber": _pictured(check_number_picture, first=1),
    "fromMillis": _pictured(check_picture, first=1),
    "join": _join,
    "lowercase": _growing(3),
    "merge": _merge,
    "now": _pictured(check_picture),
    "pad": _pad,
    "partition": _partition,
    "parse": _parse,
    "parseInteger": _pictured(check_picture),
    "replace": _replace,
    "split": _split,
    "spread": _growing(_COPY_BYTES),
    "string": _string,
    "trim": _growing(2),
    "uppercase": _growing(3),
    "zip": _growing(_COPY_BYTES),
}
