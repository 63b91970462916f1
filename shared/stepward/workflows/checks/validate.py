"""Read and check a document: a definition, or all its problems with their positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from stepward.domain.documents import Kind
from stepward.domain.documents.problems import Problem, Refused, in_order
from stepward.domain.documents.tree import Document, Path
from stepward.domain.workflows import WorkflowDefinition
from stepward.workflows.checks.catalog import check
from stepward.workflows.checks.context import CheckContext
from stepward.workflows.documents.definition import best_effort
from stepward.workflows.documents.normalize import document_of, read

# From a document to a definition.


Fill = Callable[[WorkflowDefinition], WorkflowDefinition]
"""Puts into a definition what the document leaves to the platform, before it is checked."""


def _as_it_is(definition: WorkflowDefinition) -> WorkflowDefinition:
    return definition


@dataclass(frozen=True)
class Validation:
    """What came of reading and checking: the tasks as far as they can be read, and all that is wrong so far."""

    problems: list[Problem]
    context: CheckContext | None = None

    @property
    def definition(self) -> WorkflowDefinition | None:
        """The definition; only if nothing is wrong, since what did not fit is left out of it."""
        return self.context.definition if self.context and not self.problems else None


def validate(source: str | bytes | dict[str, Any], kind: Kind = "auto", fill: Fill = _as_it_is) -> Validation:
    """Read and check a document, given as text or as values.

    What does not fit the model does not keep the rest from being checked.
    """
    try:
        document = document_of(source) if isinstance(source, dict) else read(source, kind)
    except Refused as error:
        return Validation(error.problems)
    definition, problems = best_effort(document)
    if definition is None:
        return Validation(problems)
    context = CheckContext(document, fill(definition))
    return Validation(in_order([*problems, *check(context)]), context)


def examine(
    source: str | bytes | dict[str, Any], kind: Kind = "auto", fill: Fill = _as_it_is
) -> tuple[WorkflowDefinition | None, list[Problem]]:
    """Read and check a document; the definition is there only if nothing is wrong."""
    found = validate(source, kind, fill)
    return found.definition, found.problems


def definition_from(
    source: str | bytes | dict[str, Any], kind: Kind = "auto", fill: Fill = _as_it_is
) -> WorkflowDefinition:
    """Give the definition; raises `Refused` with all that is wrong."""
    definition, problems = examine(source, kind, fill)
    if definition is None:
        raise Refused(problems)
    return definition


# Positions in the text.


def with_positions(document: Document, problems: Iterable[Problem]) -> list[Problem]:
    """Give the problems with the lines and columns of their fields; a document that was no text has none."""
    return [
        one if one.line is not None else document.problem(_place(document.tree, one), one) for one in problems
    ]


def _place(tree: Any, problem: Problem) -> Path:
    """Follow the ids of a task's path, then the field within it, as far as they lead."""
    place: Path = ()
    here = tree
    for name in problem.task.split(".") if problem.task else ():
        if name == "compensate" and "compensate" in here:
            place, here = (*place, name), here[name]
            continue
        index = next((n for n, one in enumerate(here.get("tasks", ())) if one.get("id") == name), None)
        if index is None:
            return place
        place, here = (*place, "tasks", index), here["tasks"][index]
    return (
        *place,
        *(
            int(part) if part.isascii() and part.isdigit() else part
            for part in (problem.field or "").split(".")
            if part
        ),
    )
