"""From a text to a definition, or to all that is wrong with it: the one way for the API, the command and the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepward.domain.documents import Kind
from stepward.domain.documents.problems import Problem, Refused, in_order
from stepward.domain.workflows import WorkflowDefinition
from stepward.workflow.checks.catalog import check
from stepward.workflow.checks.scene import Scene
from stepward.workflow.documents.definition import best_effort
from stepward.workflow.documents.read import document_of, read

Fill = Callable[[WorkflowDefinition], WorkflowDefinition]
"""Puts into a definition what the document leaves to the platform, before it is checked."""


def _as_it_is(definition: WorkflowDefinition) -> WorkflowDefinition:
    return definition


@dataclass(frozen=True)
class Examined:
    """What came of reading and checking: the tasks as far as they can be read, and all that is wrong so far."""

    problems: list[Problem]
    scene: Scene | None = None

    @property
    def definition(self) -> WorkflowDefinition | None:
        """The definition; only if nothing is wrong, since what did not fit is left out of it."""
        return self.scene.definition if self.scene and not self.problems else None


def examined(source: str | bytes | dict[str, Any], kind: Kind = "auto", fill: Fill = _as_it_is) -> Examined:
    """Read and check a document, given as text or as values.

    What does not fit the model does not keep the rest from being checked.
    """
    try:
        document = document_of(source) if isinstance(source, dict) else read(source, kind)
    except Refused as error:
        return Examined(error.problems)
    definition, problems = best_effort(document)
    if definition is None:
        return Examined(problems)
    scene = Scene(document, fill(definition))
    return Examined(in_order([*problems, *check(scene)]), scene)


def examine(
    source: str | bytes | dict[str, Any], kind: Kind = "auto", fill: Fill = _as_it_is
) -> tuple[WorkflowDefinition | None, list[Problem]]:
    """Read and check a document; the definition is there only if nothing is wrong."""
    found = examined(source, kind, fill)
    return found.definition, found.problems


def definition_from(
    source: str | bytes | dict[str, Any], kind: Kind = "auto", fill: Fill = _as_it_is
) -> WorkflowDefinition:
    """Give the definition; raises `Refused` with all that is wrong."""
    definition, problems = examine(source, kind, fill)
    if definition is None:
        raise Refused(problems)
    return definition
