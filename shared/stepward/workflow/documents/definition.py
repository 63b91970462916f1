"""Makes the model of a document, or says all that keeps it from being one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stepward.domain.documents.problems import MOST_PROBLEMS, Problem, in_order
from stepward.domain.documents.tree import Document
from stepward.domain.workflows import WorkflowDefinition
from stepward.workflow.documents.faults import fault_of, is_told
from stepward.workflow.documents.mending import mended

MOST_MENDINGS: Final = 3


def definition_of(document: Document) -> tuple[WorkflowDefinition | None, list[Problem]]:
    """Give the definition of a document without problems, or the problems."""
    if document.problems:
        _, problems = best_effort(document)
        return None, problems
    try:
        return WorkflowDefinition.model_validate(document.tree), []
    except ValidationError as error:
        return None, in_order(_faults(document, error.errors(include_url=False)))


def best_effort(document: Document) -> tuple[WorkflowDefinition | None, list[Problem]]:
    """Give what can be read of a document that has faults too, so that the rest can be checked in the same go.

    Such a definition must never be kept: what did not fit is left out of it.
    """
    problems: list[Problem] = list(document.problems)
    tree: Any = document.tree
    for attempt in range(MOST_MENDINGS):
        try:
            return WorkflowDefinition.model_validate(tree), in_order(problems)
        except ValidationError as error:
            found = error.errors(include_url=False)
            # What a mending itself makes wrong is no fault of the document's.
            problems += _faults(document, found) if attempt == 0 else []
            if len(problems) > MOST_PROBLEMS:
                break
            tree = mended(tree, [one["loc"] for one in found])
    return None, in_order(problems)


def _faults(document: Document, found: Sequence[ErrorDetails]) -> list[Problem]:
    told = (one for one in found if is_told(one))
    return [fault_of(document, one) for one in islice(told, MOST_PROBLEMS + 1)]
