"""Reads `outputs: {name: task.input}`: data said from its source; it becomes an input, and a need, of the task that takes it."""

from __future__ import annotations

import re
from typing import Any

from stepward.domain.documents.problems import meant
from stepward.workflow.documents.notes import Notes, Place


def lay_wires(tasks: list[Any], place: Place, notes: Notes) -> None:
    """Take the outputs off the tasks of one body, and give each to the task that it names."""
    indexes = {
        task["id"]: index
        for index, task in enumerate(tasks)
        if isinstance(task, dict) and isinstance(task.get("id"), str)
    }
    known: dict[str, dict[str, Any]] = {name: tasks[index] for name, index in indexes.items()}
    for name, task in known.items():
        outputs = task.pop("outputs", None)
        if outputs is None:
            continue
        at = (*place.at, indexes[name])
        source = notes.origins.get(at, (*place.source, indexes[name]))
        path = f"{place.task}.{name}" if place.task else name
        if isinstance(outputs, dict):
            inner = Place((*at, "outputs"), (*source, "outputs"), path)
            for output, target in outputs.items():
                _lay(name, output, target, known, inner, notes)
        else:
            fix = "write it as {name: task.input}"
            notes.tell(Place(at, source, path), "outputs", "wrong-type", "outputs is no mapping", fix)


def _lay(
    name: str, output: str, target: Any, known: dict[str, dict[str, Any]], place: Place, notes: Notes
) -> None:
    task, _, field = target.partition(".") if isinstance(target, str) else ("", "", "")
    taker = known.get(task)
    if taker is None or not field:
        detail = f"the output {output!r} goes to {target!r}, which is no input of a task beside it"
        notes.tell(place, output, "missing-task", detail, meant(task, known, "write it as task.input"))
        return
    inputs = taker.setdefault("with", {})
    needs = taker.setdefault("needs", [])
    if not isinstance(inputs, dict) or not isinstance(needs, list):
        return
    if field in inputs:
        detail = f"the input {field!r} of {task!r} is given twice"
        notes.tell(place, output, "one-field-twice", detail, f"take it out of `outputs` or of {task!r}")
        return
    taker["with"] = {**inputs, field: _reading(name, output)}
    taker["needs"] = [*needs, *([name] if name not in needs else [])]


def _reading(name: str, output: str) -> str:
    if output == "output":
        return f"{{% $tasks.{name} %}}"
    field = output if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", output) else f"`{output.replace('`', '')}`"
    return f"{{% $tasks.{name}.{field} %}}"
