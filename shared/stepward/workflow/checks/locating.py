"""Finds where in a text a problem stands that was found in the definition: only texts have lines, and only some checks see them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.tree import Document, Path


def located(document: Document, problems: Iterable[Problem]) -> list[Problem]:
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
