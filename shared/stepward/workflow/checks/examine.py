"""From a text to a definition, or to all that is wrong with it: the one way for the API, the command and the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepward.domain.workflows import WorkflowDefinition
from stepward.workflow.checks.catalog import check
from stepward.workflow.documents.definition import best_effort
from stepward.workflow.documents.read import Kind, document_of, read
from stepward.workflow.documents.tree import Document
from stepward.workflow.problems import Problem, Refused, in_order

Fill = Callable[[WorkflowDefinition], WorkflowDefinition]
"""Puts into a definition what the document leaves to the platform, before it is checked."""


def _as_it_is(definition: WorkflowDefinition) -> WorkflowDefinition:
    return definition


def examine(
    source: str | bytes | dict[str, Any], kind: Kind = "auto", fill: Fill = _as_it_is
) -> tuple[WorkflowDefinition | None, list[Problem]]:
    """Read and check a document, given as text or as values; the definition is there only if nothing is wrong."""
    try:
        document = document_of(source) if isinstance(source, dict) else read(source, kind)
    except Refused as error:
        return None, error.problems
    return examine_document(document, fill)


def examine_document(
    document: Document, fill: Fill = _as_it_is
) -> tuple[WorkflowDefinition | None, list[Problem]]:
    """Check a document that has been read; what does not fit the model does not keep the rest from being checked."""
    definition, problems = best_effort(document)
    if definition is not None:
        definition = fill(definition)
        problems = in_order([*problems, *check(document, definition)])
    return (None if problems else definition), problems


def definition_from(
    source: str | bytes | dict[str, Any], kind: Kind = "auto", fill: Fill = _as_it_is
) -> WorkflowDefinition:
    """Give the definition; raises `Refused` with all that is wrong."""
    definition, problems = examine(source, kind, fill)
    if definition is None:
        raise Refused(problems)
    return definition
