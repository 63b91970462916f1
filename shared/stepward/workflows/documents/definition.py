"""Build a workflow definition from a document, or report why it is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stepward.domain.documents.problems import MOST_PROBLEMS, Problem, in_order
from stepward.domain.documents.tree import Document, Path
from stepward.domain.workflows import WorkflowDefinition
from stepward.workflows.documents.diagnostics import fault_of, is_reported

# The definition.


MOST_RECOVERIES: Final = 3


def definition_of(document: Document) -> tuple[WorkflowDefinition | None, list[Problem]]:
    """Return the definition of a document without problems, or the problems."""
    if document.problems:
        _, problems = best_effort(document)
        return None, problems
    try:
        return WorkflowDefinition.model_validate(document.tree), []
    except ValidationError as error:
        return None, in_order(_faults(document, error.errors(include_url=False)))


def best_effort(document: Document) -> tuple[WorkflowDefinition | None, list[Problem]]:
    """Return what can be read of a document with problems, so that the rest is checked too.

    Such a definition must never be kept: what did not fit is left out of it.
    """
    problems: list[Problem] = list(document.problems)
    tree: Any = document.tree
    for attempt in range(MOST_RECOVERIES):
        try:
            return WorkflowDefinition.model_validate(tree), in_order(problems)
        except ValidationError as error:
            found = error.errors(include_url=False)
            # What a recovery itself makes wrong is no fault of the document.
            problems += _faults(document, found) if attempt == 0 else []
            if len(problems) > MOST_PROBLEMS:
                break
            tree = recovered(tree, [one["loc"] for one in found])
    return None, in_order(problems)


def _faults(document: Document, found: Sequence[ErrorDetails]) -> list[Problem]:
    reported = (one for one in found if is_reported(one))
    return [fault_of(document, one) for one in islice(reported, MOST_PROBLEMS + 1)]


# Recovery: leave out what does not fit, so that the rest is checked too.


UNKNOWN_TYPE: Final = "?"
"""The type of a task that names none; the checks know that this is reported already."""
_STAND_INS: Final[Mapping[str, Any]] = {"name": "unnamed", "version": "0.0.0", "type": UNKNOWN_TYPE}


def recovered(tree: Any, places: Sequence[Path]) -> Any:
    """Return a copy of a tree without the fields at some places.

    What cannot be left out, such as an id, gets a substitute.
    """
    copied = _copy(tree)
    renamed: dict[Any, str] = {}
    for number, path in enumerate(places):
        owner, field = _owner(path)
        target = _at(copied, owner)
        if isinstance(target, dict) and field is not None:
            _leave_out(target, field, owner, number, renamed)
        elif owner:
            _put(copied, owner, {"id": f"unreadable_{number}", "type": UNKNOWN_TYPE})
    return _follow(copied, renamed) if renamed else copied


def _leave_out(target: dict[str, Any], field: str, owner: Path, number: int, renamed: dict[Any, str]) -> None:
    was = target.pop(field, None)
    if field == "id":
        target["id"] = f"unnamed_{number}" if owner else "unnamed"
        if isinstance(was, str) and owner:
            renamed[was] = target["id"]
    elif field in _STAND_INS and (field == "type" or not owner):
        target[field] = _STAND_INS[field]


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list | tuple) else value


def _owner(path: Path) -> tuple[Path, str | None]:
    """Split a path into that of the task, or of the workflow, and the task's field."""
    length = 0
    while length < len(path):
        if path[length] == "compensate":
            length += 1
        elif path[length] == "tasks" and len(path) > length + 1:
            length += 2
        else:
            return path[:length], str(path[length])
    return path, None


def _at(tree: Any, path: Path) -> Any:
    for key in path:
        try:
            tree = tree[key]
        except (KeyError, IndexError, TypeError):
            return None
    return tree


def _put(tree: Any, path: Path, value: Any) -> None:
    container: Any = _at(tree, path[:-1])
    if container is not None:
        container[path[-1]] = value


def _follow(value: Any, renamed: Mapping[Any, str]) -> Any:
    """Rename a task in all references to it, where its id was replaced by a substitute.

    A bad id is then reported once, not once for each mention.
    """
    if isinstance(value, dict):
        return {
            name: [renamed.get(one, one) if isinstance(one, str) else one for one in inner]
            if name in ("needs", "then", "otherwise") and isinstance(inner, list)
            else _follow(inner, renamed)
            for name, inner in value.items()
        }
    return [_follow(inner, renamed) for inner in value] if isinstance(value, list) else value
