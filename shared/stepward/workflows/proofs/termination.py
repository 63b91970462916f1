"""Prove that every loop ends, and with it every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from stepward.domain.workflows import WorkflowDefinition
from stepward.tasks.catalog import type_of
from stepward.tasks.facts import Starts
from stepward.workflows.program.graphs import Cycle, topological_order
from stepward.workflows.program.iteration_bounds import IterationBounds
from stepward.workflows.program.tasks import retry_of, walk
from stepward.workflows.proofs.proof import Proof, Subject

NAME: Final = "bounded"


def prove(subject: Subject) -> Proof:
    """Find a loop without a number of iterations, or a cycle without a number of visits."""
    definition = subject.definition
    endless = next(_endless_loops(definition), None) or _endless_circle(definition)
    if endless:
        words = "nothing says how often a run goes round there"
        return Proof(name=NAME, holds=False, is_required=True, counter_example=endless, words=words)
    return Proof(name=NAME, holds=True, is_required=True, words=_words(subject))


def _endless_loops(definition: WorkflowDefinition) -> Iterator[tuple[str, ...]]:
    for path, task in walk(definition.tasks):
        kind = type_of(task)
        if kind.bound is None:
            continue
        otherwise = kind.settings.model_fields[kind.bound].default
        said: Any = task.settings.get(kind.bound, otherwise)
        if not (isinstance(said, int) and said >= 1):
            yield (path,)


def _endless_circle(definition: WorkflowDefinition) -> tuple[str, ...] | None:
    """Find a cycle without a bounded task; one such task bounds every cycle that it is on."""
    free = [task for task in definition.tasks if task.max_visits is None]
    number = {task.id: index for index, task in enumerate(free)}
    needs: list[list[int]] = [[] for _ in free]
    for task in free:
        for way in task.next:
            if way.to in number:
                needs[number[way.to]].append(number[task.id])
    try:
        topological_order(needs)
    except Cycle as ring:
        return tuple(free[index].id for index in ring.path)
    return None


def _words(subject: Subject) -> str:
    program, rounds = subject.program, IterationBounds(subject.program)
    started = Counter[Starts]()
    for path, planned in program.tasks.items():
        if starts := type_of(planned.task).starts:
            started[starts] += rounds.of(path).most * retry_of(program.definition, planned.task).attempts
    limit = subject.definition.cost_limit_usd
    spend = f", and none begins once ${limit} are spent" if limit else ""
    repeated = sum(type_of(planned.task).repeats for planned in program.tasks.values())
    return (
        f"{repeated} bodies and all circles have a bound; a run starts at most {started[Starts.AGENT]:,} runs of agents, each "
        f"with a cost limit of its own{spend}, and {started[Starts.WORKFLOW]:,} of workflows, which cannot run each other in a circle"
    )
