"""The filters and tests that a template may use: each is counted by what it is given and by what it makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from stepward.domain.numbers import number_of
from stepward.prompts.operators import counted, text_of, work_of
from stepward.prompts.work import MOST_VALUE_CHARS, refused

WIDEST_INDENT: Final = 40
TESTS: Final = frozenset(
    {
        "boolean", "defined", "divisibleby", "eq", "even", "false", "float", "ge", "gt", "in", "integer", "le", "lt",
        "mapping", "ne", "none", "number", "odd", "sequence", "string", "true", "undefined",
    }
)  # fmt: skip
"""The tests, which follow `is`."""


def _counted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a filter of a function: what it is given and what it makes are weighed."""

    @pass_context
    def apply(context: Context, *given: Any, **named: Any) -> Any:
        work = work_of(context)
        for one in (*given, *named.values()):
            if isinstance(one, Undefined):
                str(one)  # raises, and names what is missing
            work.weighed(one)
        return work.weighed(function(*given, **named))

    return apply


def _alone(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """Make a filter that takes nothing but its value, whatever else the function would take."""

    def apply(value: Any) -> Any:
        return function(value)

    return _counted(apply)


def _default(value: Any, otherwise: Any = "", boolean: bool = False) -> Any:
    return otherwise if isinstance(value, Undefined) or (boolean and not value) else value


@pass_context
def _join(context: Context, values: Any, between: str = "") -> Any:
    work, mark = work_of(context), _text(between)
    texts = [text_of(work, one) for one in counted(context, values)]
    _check_size(sum(map(len, texts)) + len(mark) * len(texts))
    return work.weighed(mark.join(texts))


@pass_context
def _string(context: Context, value: Any) -> str:
    return text_of(work_of(context), value)


def _on_text(function: Callable[[str], Any]) -> Callable[..., Any]:
    return _counted(lambda value: function(_text(value)))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise refused("a filter of texts is given something else.", "turn it into a text first, with |string")
    return value


def _replace(value: Any, old: Any, new: Any) -> str:
    text, before, after = _text(value), _text(old), _text(new)
    _check_size(len(text) + text.count(before) * len(after))
    return text.replace(before, after)


def _truncate(value: Any, length: int = 255, end: str = "…") -> str:
    text = _text(value)
    return text if len(text) <= length else text[: max(0, length - len(end))] + end


def _indent(value: Any, width: int = 4, first: bool = False) -> str:
    space = " " * max(0, min(width, WIDEST_INDENT))
    return (space if first else "") + _text(value).replace("\n", f"\n{space}")


def _unique(values: Iterable[Any]) -> list[Any]:
    seen: dict[str, Any] = {}
    for one in values:
        seen.setdefault(json.dumps(one, sort_keys=True), one)
    return list(seen.values())


def _items(value: Any) -> list[Any]:
    if not isinstance(value, dict):
        raise refused("|items is given what is no object.", "use it on a variable of type object")
    return [list(pair) for pair in value.items()]


def _number(value: Any) -> int | float:
    return number_of(value.strip()) if isinstance(value, str) else value + 0


def _check_size(chars: int) -> None:
    if chars > MOST_VALUE_CHARS:
        raise refused(
            f"a value in the template grows over {MOST_VALUE_CHARS:,} characters.", "let it grow less"
        )


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": _alone(abs),
    "capitalize": _on_text(str.capitalize),
    "default": _default,
    "first": _counted(lambda values: values[0] if values else ""),
    "float": _counted(lambda value: float(_number(value))),
    "indent": _counted(_indent),
    "int": _counted(lambda value: int(_number(value))),
    "items": _counted(_items),
    "join": _join,
    "last": _counted(lambda values: values[-1] if values else ""),
    "length": _alone(len),
    "list": _alone(list),
    "lower": _on_text(str.lower),
    "max": _alone(max),
    "min": _alone(min),
    "replace": _counted(_replace),
    "reverse": _counted(lambda values: values[::-1]),
    "round": _counted(lambda value, digits=0: round(value, digits)),
    "sort": _counted(lambda values, reverse=False: sorted(values, reverse=bool(reverse))),
    "string": _string,
    "sum": _alone(sum),
    "title": _on_text(str.title),
    "tojson": _counted(lambda value: json.dumps(value, ensure_ascii=False)),
    "trim": _on_text(str.strip),
    "truncate": _counted(_truncate),
    "unique": _counted(_unique),
    "upper": _on_text(str.upper),
}
"""The filters by name."""
