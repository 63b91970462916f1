"""From a text to a definition, or to all that is wrong with it: the one way for the API, the command and the tests."""

from __future__ import annotations

from typing import Any

from stepward.domain.workflows import WorkflowDefinition
from stepward.workflow.checks.catalog import check
from stepward.workflow.documents.definition import best_effort
from stepward.workflow.documents.read import Kind, document_of, read
from stepward.workflow.documents.tree import Document
from stepward.workflow.problems import Problem, Refused, in_order


def examine(
    source: str | bytes | dict[str, Any], kind: Kind = "auto"
) -> tuple[WorkflowDefinition | None, list[Problem]]:
    """Read and check a document, given as text or as values; the definition is there only if nothing is wrong."""
    try:
        document = document_of(source) if isinstance(source, dict) else read(source, kind)
    except Refused as error:
        return None, error.problems
    return examine_document(document)


def examine_document(document: Document) -> tuple[WorkflowDefinition | None, list[Problem]]:
    """Check a document that has been read; what does not fit the model does not keep the rest from being checked."""
    definition, problems = best_effort(document)
    if definition is not None:
        problems = in_order([*problems, *check(document, definition)])
    return (None if problems else definition), problems


def definition_from(source: str | bytes | dict[str, Any], kind: Kind = "auto") -> WorkflowDefinition:
    """Give the definition; raises `Refused` with all that is wrong."""
    definition, problems = examine(source, kind)
    if definition is None:
        raise Refused(problems)
    return definition
