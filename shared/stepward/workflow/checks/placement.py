"""An expression stands alone and where it is evaluated; elsewhere it would be passed on as the text that it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stepward.domain.documents.problems import Problem
from stepward.models.expressions import is_expression
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene
from stepward.workflow.checks.sites import fields_of, strangers, texts_in

_MIXED: Final = "write the whole value as one expression, as in {% 'Dear ' & $input.name %}"
_OPEN: Final = "end it, as in {% $input.name %}"


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find expressions in settings that take none, and expressions in the midst of a text."""
    del orders
    for inside, text in texts_in(("output",), scene.definition.output):
        if _is_mixed(text):
            yield scene.problem(None, inside, "mixed-expression", *_mixed(text))
    for spot in scene.all():
        for inside, text in fields_of(spot):
            if _is_mixed(text):
                yield scene.problem(spot, inside, "mixed-expression", *_mixed(text))
        for inside, text in strangers(spot):
            if is_expression(text) or _is_mixed(text):
                detail = f"{inside[0]} takes no expression, so {text[:60]!r} would stay as it is"
                fix = "write the value itself; what differs between runs belongs into `with`"
                yield scene.problem(spot, inside, "no-expression-here", detail, fix)


def _is_mixed(text: str) -> bool:
    """Whether somebody meant an expression: it stands within a text, or was begun and never ended."""
    return ("{%" in text and "%}" in text and not is_expression(text)) or _is_open(text)


def _is_open(text: str) -> bool:
    return text.strip().startswith("{%") and "%}" not in text


def _mixed(text: str) -> tuple[str, str]:
    if _is_open(text):
        return f"{text[:60]!r} begins an expression that does not end", _OPEN
    return f"{text[:60]!r} holds an expression within a text, where it is not evaluated", _MIXED
