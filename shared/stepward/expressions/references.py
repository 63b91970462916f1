"""Find which tasks an expression refers to, and evaluate the expressions in values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from stepward.expressions.evaluate import evaluate, is_expression

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
