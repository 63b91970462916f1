"""Read and check a document: return a definition, or all problems with their positions."""

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
"""Completes a definition with what the platform knows, before it is checked."""


def _as_it_is(definition: WorkflowDefinition) -> WorkflowDefinition:
    return definition


@dataclass(frozen=True)
class Validation:
    """The result of reading and checking: the tasks that could be read, and all problems."""

    problems: list[Problem]
    context: CheckContext | None = None

    @property
    def definition(self) -> WorkflowDefinition | None:
        """The definition; None if there is a problem, since what did not fit is left out."""
        return self.context.definition if self.context and not self.problems else None


def validate(source: str | bytes | dict[str, Any], kind: Kind = "auto", fill: Fill = _as_it_is) -> Validation:
    """Read and check a document, given as text or as values.

    Args:
        source: YAML or JSON, or the values of a document.
        kind: How a text is written; `auto` decides by the text.
        fill: Completes the definition before it is checked.

    Returns:
        What was found. What does not fit the model does not keep the rest from being checked.
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
    """Read and check a document; the definition is None if there is a problem."""
    found = validate(source, kind, fill)
    return found.definition, found.problems


def definition_from(
    source: str | bytes | dict[str, Any], kind: Kind = "auto", fill: Fill = _as_it_is
) -> WorkflowDefinition:
    """Read and check a document, and return its definition.

    Raises:
        Refused: The document has problems; all of them are in the error.
    """
    definition, problems = examine(source, kind, fill)
    if definition is None:
        raise Refused(problems)
    return definition


# Positions in the text.


def with_positions(document: Document, problems: Iterable[Problem]) -> list[Problem]:
    """Add lines and columns to problems; a document that was no text has none."""
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
