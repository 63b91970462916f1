"""Evaluate JSONata in `{% … %}` within limits, and find what expressions refer to.

An expression may take a second, 200,000 steps, and 64 MB of values; `bounds` has how each is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from stepward.domain.errors import InvalidRequest, OutputMalformed

if TYPE_CHECKING:
    from stepward.expressions.bounded_jsonata import BoundedJsonata


TIMEOUT_MS: Final = 1_000
LONGEST_EXPRESSION_CHARS: Final = 4_000
LONGEST_EVALUATED_CHARS: Final = 20_000
"""Characters of an expression registered before there was a limit."""
DEEPEST_EXPRESSION: Final = 40
"""Nesting of brackets; evaluation is bounded in depth too."""
MOST_STEPS: Final = 300
"""Names after dots: the parser's time is quadratic in a path's length."""
_TEXTS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_MOST_SHOWN_CHARS: Final = 300
_MOST_REASON_CHARS: Final = 1_000


def is_expression(value: object) -> bool:
    """Return whether a text is an expression as a whole."""
    return isinstance(value, str) and value.strip().startswith("{%") and value.strip().endswith("%}")


def check(expression: str, field: str) -> None:
    """Refuse an expression that cannot be parsed, before anything runs on it.

    Raises:
        InvalidRequest: It cannot be parsed.
    """
    parse(expression, field)


def parse(expression: str, field: str) -> Any:
    """Return an expression's syntax tree, as the library makes it.

    Raises:
        InvalidRequest: It cannot be parsed.
    """
    if fault := _too_much(expression, LONGEST_EXPRESSION_CHARS):
        raise _unreadable(expression, fault, field)
    try:
        return _compiled(_source(expression)).ast
    except Exception as error:  # the library raises whatever its code raises
        raise _unreadable(expression, _reason(error), field) from error


def _too_much(expression: str, most_chars: int) -> str | None:
    """Return what would slow the parser down, which recurses and backtracks; None if nothing."""
    if len(expression) > most_chars:
        return f"it has {len(expression):,} characters; {most_chars:,} are the most"
    bare = _TEXTS.sub("", expression)
    if bare.count(".") > MOST_STEPS:
        return f"it has more than {MOST_STEPS} steps"
    depth = 0
    for char in bare:
        depth += (char in "([{") - (char in ")]}")
        if depth > DEEPEST_EXPRESSION:
            return f"it is nested deeper than {DEEPEST_EXPRESSION} levels"
    return None


def evaluate(expression: str, variables: dict[str, Any]) -> Any:
    """Evaluate an expression over named values; undefined is null.

    Raises:
        OutputMalformed: It cannot be evaluated, or exceeds a limit.
    """
    if fault := _too_much(expression, LONGEST_EVALUATED_CHARS):
        raise OutputMalformed(f"the expression {_shown(expression)!r} failed: {fault}")
    try:
        return _compiled(_source(expression)).value(variables)
    except Exception as error:  # the library raises whatever its code raises
        raise OutputMalformed(f"the expression {_shown(expression)!r} failed: {_reason(error)}") from error


@lru_cache(maxsize=1_000)
def _compiled(source: str) -> BoundedJsonata:
    # Only functions that evaluate expressions load the library.
    from stepward.expressions.bounded_jsonata import BoundedJsonata  # noqa: PLC0415
    from stepward.expressions.linear_patterns import compiled  # noqa: PLC0415

    return BoundedJsonata(source, compiled)


def _unreadable(expression: str, fault: str, field: str) -> InvalidRequest:
    detail = f"the expression {_shown(expression)!r} cannot be read: {fault}"
    return InvalidRequest(detail, field=field, fix="fix the JSONata")


def _reason(error: Exception) -> str:
    """Return an error's message in one line; its name if it has none."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "it takes too much memory"
    if isinstance(error, InvalidOperation):
        return "it makes a number that has too many digits"
    if isinstance(error, UnicodeEncodeError):
        return "it makes half of a surrogate pair, which is no character"
    # What an expression says by `$error` may be no text either.
    words = str(error).encode(errors="replace").decode()
    said = " ".join(words.split()) or type(error).__name__
    return _shown(f"{said} is not there" if isinstance(error, KeyError) else said, _MOST_REASON_CHARS)


def _shown(text: str, most_chars: int = _MOST_SHOWN_CHARS) -> str:
    return text if len(text) <= most_chars else f"{text[:most_chars]}…"


def _source(expression: str) -> str:
    return expression.strip()[2:-2].strip()


# References in values.
_NAMED: Final = re.compile(r"\$(tasks|status|errors)\b(?:\s*\.\s*(?:([A-Za-z_]\w*)|\"([^\"]+)\"|`([^`]+)`))?")


def expressions_in(value: Any) -> Iterator[str]:
    """Yield every expression within a value, at any depth."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str) and is_expression(one):
            yield one
        elif isinstance(one, dict):
            pending.extend(one.values())
        elif isinstance(one, list | tuple):
            pending.extend(one)


def names_in(value: Any) -> set[str] | None:
    """Return the tasks that a value's expressions read; None for all, as in `$keys($tasks)`."""
    found: set[str] = set()
    for expression in expressions_in(value):
        for match in _NAMED.finditer(expression):
            name = match[2] or match[3] or match[4]
            if name is None:
                return None
            found.add(name)
    return found


def is_asked(value: Any, variable: str) -> bool:
    """Return whether an expression of a value uses a variable, such as `item`."""
    pattern = re.compile(rf"\${variable}\b")
    return any(pattern.search(expression) for expression in expressions_in(value))


def resolved(value: Any, variables: dict[str, Any]) -> Any:
    """Replace expressions by their values, anywhere within a value."""
    if isinstance(value, str):
        return evaluate(value, variables) if is_expression(value) else value
    if isinstance(value, dict):
        return {name: resolved(inner, variables) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(inner, variables) for inner in value]
    return value
