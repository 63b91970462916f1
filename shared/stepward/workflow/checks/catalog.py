"""The checks' index: one file a check, one line each, all of them run so that all problems come at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from stepward.domain.documents.problems import MOST_PROBLEMS, Problem, in_order
from stepward.workflow.checks import (
    arguments,
    branches,
    cycles,
    dead_ends,
    endless,
    expressions,
    failures,
    flow,
    ids,
    limits,
    machines,
    mentions,
    mistakes,
    once,
    placement,
    references,
    schemas,
    settings,
    waits,
)
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene

CHECKS: Final[tuple[Callable[[Scene, Orders], Iterator[Problem]], ...]] = (
    ids.find,
    references.find,
    cycles.find,
    settings.find,
    branches.find,
    waits.find,
    once.find,
    failures.find,
    schemas.find,
    machines.find,
    dead_ends.find,
    limits.find,
    placement.find,
    mistakes.find,
    expressions.find,
    endless.find,
    mentions.find,
    arguments.find,
    flow.find,
)


def check(scene: Scene) -> list[Problem]:
    """Find everything that is wrong with a definition; with more than a person mends in one go the search stops."""
    return in_order(mistakes.told_best(_found(scene)))


def _found(scene: Scene) -> Iterator[Problem]:
    orders = Orders(scene)
    left = MOST_PROBLEMS + 1
    for find in CHECKS:
        some = list(islice(find(scene, orders), left))
        yield from some
        left -= len(some)
        if left <= 0:
            return
