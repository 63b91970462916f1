"""Map an event to a run's input: JSON whose texts `{% … %}` are JSONata over `$event`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from stepward.agents.requests import gathered
from stepward.expressions.evaluate import check, evaluate, is_expression


def check_template(template: Any) -> None:
    """Refuse a template with expressions that cannot be parsed, naming the field of each."""
    gathered(partial(check, expression, field) for field, expression in _expressions(template, "input"))


def filled(template: Any, event: Any) -> Any:
    """Fill in a template; an expression that finds nothing yields null.

    Raises:
        OutputMalformed: An expression fails.
    """
    if isinstance(template, dict):
        return {name: filled(value, event) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, event) for value in template]
    return evaluate(template, {"event": event}) if is_expression(template) else template


def _expressions(template: Any, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(template, dict):
        for name, value in template.items():
            yield from _expressions(value, f"{field}.{name}")
    elif isinstance(template, list):
        for index, value in enumerate(template):
            yield from _expressions(value, f"{field}.{index}")
    elif is_expression(template):
        yield field, template
