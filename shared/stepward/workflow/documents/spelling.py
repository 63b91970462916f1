"""Gives a whole document its long form, with one name for every field, and remembers where each was written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stepward.domain.documents.problems import meant
from stepward.domain.documents.tree import Document
from stepward.workflow.documents import short_forms
from stepward.workflow.documents.names import KNOWN_TO_WORKFLOWS, WORKFLOW_NAMES
from stepward.workflow.documents.notes import Notes, Place
from stepward.workflow.documents.task_spelling import spell_tasks

_TOP = Place((), ())


def spelled(document: Document) -> Document:
    """Spell a document out; what it says is left as it was, and problems are added to its own."""
    if not isinstance(document.tree, dict):
        return document
    notes = Notes(document)
    said = notes.renamed(document.tree, WORKFLOW_NAMES, KNOWN_TO_WORKFLOWS, _TOP)
    short_forms.take_error_handling(said, notes, _TOP)
    _spell_fields(said, document.tree, notes)
    dependencies = said.pop("dependencies", None)
    if isinstance(said.get("tasks"), dict | list):
        tasks = said["tasks"]
        tasks = dict(tasks) if isinstance(tasks, dict) else list(tasks)
        said["tasks"] = spell_tasks(tasks, Place(("tasks",), ("tasks",)), notes)
    if dependencies is not None:
        _depend(said.get("tasks"), dependencies, notes)
    problems = (*document.problems, *notes.problems)
    return replace(document, tree=said, origins=notes.origins, problems=problems)


def _spell_fields(said: dict[str, Any], tree: dict[str, Any], notes: Notes) -> None:
    forms = {
        "timeout_s": short_forms.whole,
        "on_error": short_forms.error_rule,
        "tags": short_forms.listed,
    }
    for name, form in forms.items():
        if name in said:
            said[name] = form(said[name])
    if "retry" in said:
        written = "retry_config" if "retry_config" in tree else "retry"
        said["retry"] = short_forms.retry(said["retry"], written, notes, _TOP)


def _depend(tasks: Any, dependencies: Any, notes: Notes) -> None:
    """Add what `dependencies` says of a task to its needs."""
    if not isinstance(dependencies, dict):
        fix = "write it as {task: [tasks that it needs]}"
        notes.tell(_TOP, "dependencies", "wrong-type", "dependencies is no mapping", fix)
        return
    place = Place(("dependencies",), ("dependencies",))
    found = tasks if isinstance(tasks, list) else []
    known = {
        task["id"]: i
        for i, task in enumerate(found)
        if isinstance(task, dict) and isinstance(task.get("id"), str)
    }
    for name, needs in dependencies.items():
        index = known.get(name)
        if index is None:
            fix = meant(name, known, "name a task of the workflow itself")
            notes.tell(place, name, "missing-task", f"there is no task {name!r}", fix)
            continue
        _add_needs(found[index], index, listed_or_none(needs), name, notes)


def listed_or_none(needs: Any) -> list[Any]:
    """Read the needs of one task; seeds write null for none."""
    found = short_forms.listed(needs)
    return found if isinstance(found, list) else []


def _add_needs(task: dict[str, Any], index: int, needs: list[Any], name: str, notes: Notes) -> None:
    own = task.get("needs", [])
    if not isinstance(own, list):
        return
    for position, need in enumerate(needs):
        if need not in own:
            notes.origins[("tasks", index, "needs", len(own))] = ("dependencies", name, position)
            own = [*own, need]
    if own:
        task["needs"] = own
