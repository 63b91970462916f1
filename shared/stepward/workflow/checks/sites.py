"""Where expressions stand: in which field of which task, and when each is evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stepward.domain.documents.tree import Path
from stepward.models.expressions import is_expression
from stepward.workflow.checks.scene import Scene, Spot


@dataclass(frozen=True)
class Site:
    """One expression at its place; `spot` is None for the workflow's output. `after` is once a round, or the task, is over."""

    spot: Spot | None
    inside: Path
    text: str
    after: bool = False


def sites(scene: Scene) -> Iterator[Site]:
    """Give every expression of a definition that is one as a whole and stands where one may."""
    for inside, text in texts_in(("output",), scene.definition.output):
        if is_expression(text):
            yield Site(None, inside, text)
    for spot in scene.all():
        for inside, value, after in _fields(spot):
            for place, text in texts_in(inside, value):
                if is_expression(text):
                    yield Site(spot, place, text, after)


def _fields(spot: Spot) -> Iterator[tuple[Path, Any, bool]]:
    """Give the fields that may hold expressions."""
    task = spot.task
    yield ("when",), task.when, False
    yield ("with",), task.inputs, False
    if task.fallback:
        yield ("fallback", "output"), task.fallback.output, False
    for index, transition in enumerate(task.next):
        yield ("next", index, "when"), transition.when, True
    if spot.kind:
        for name in spot.kind.expressions:
            yield (name,), task.settings.get(name), name in spot.kind.later


def strangers(spot: Spot) -> Iterator[tuple[Path, str]]:
    """Give every text of a task that stands where no expression is evaluated."""
    own = spot.kind.expressions if spot.kind else tuple(spot.task.settings)
    for name, value in spot.task.settings.items():
        if name not in own:
            yield from texts_in((name,), value)


def fields_of(spot: Spot) -> Iterator[tuple[Path, str]]:
    """Give every text of a task that stands where an expression may."""
    for inside, value, _ in _fields(spot):
        yield from texts_in(inside, value)


def texts_in(place: Path, value: Any) -> Iterator[tuple[Path, str]]:
    """Give the texts within a value, however deep they stand."""
    pending: list[tuple[Path, Any]] = [(place, value)]
    while pending:
        at, one = pending.pop()
        if isinstance(one, str):
            yield at, one
        elif isinstance(one, dict):
            pending.extend(((*at, name), inner) for name, inner in one.items())
        elif isinstance(one, list | tuple):
            pending.extend(((*at, index), inner) for index, inner in enumerate(one))
