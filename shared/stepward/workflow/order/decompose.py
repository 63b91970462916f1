"""Arranges the tasks of any acyclic graph as sequences, parallels and awaits, with as few states as can be found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from stepward.workflow.order.attempts import ATTEMPTS, tried
from stepward.workflow.order.closure import ancestors
from stepward.workflow.order.fold import fold
from stepward.workflow.order.modules import Modules, modules_of
from stepward.workflow.order.nesting import shallow
from stepward.workflow.order.scopes import by_scopes
from stepward.workflow.order.steps import Step, counts
from stepward.workflow.order.tidy import tidy

# How many modules may be left after folding for every attempt to be made: all of them together take a tenth of a second.
TRIED_UP_TO: Final = 150


class NoTasks(ValueError):
    """A graph without tasks has no order: there is nothing to run."""


def arrange(needs: Sequence[Sequence[int]]) -> Step:
    """Find the tree with the fewest parallels and awaits; of equals the one with fewer awaits, since each is a write.

    `needs[i]` names the tasks that task `i` needs. Raises `Cycle` when they go round.
    """
    if not needs:
        raise NoTasks("a workflow needs at least one task")
    past = ancestors(needs)
    graph = modules_of(needs, past)
    fold(graph, graph.at)
    return shallow(min((tidy(step, past) for step in _candidates(graph)), key=_cost))


def _candidates(graph: Modules) -> Iterator[Step]:
    if len(graph.at) == 1:
        yield from (module.step for module in graph.at.values())
        return
    if len(graph.at) <= TRIED_UP_TO:
        yield from (tried(graph, attempt) for attempt in ATTEMPTS)
    yield by_scopes(graph)


def _cost(step: Step) -> tuple[int, int]:
    count = counts(step)
    return count.parallels + count.awaits, count.awaits
