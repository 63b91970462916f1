"""Normalize a document: expand short forms, and resolve aliases of fields."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from stepward.domain.documents import Document, Kind, read_document
from stepward.domain.documents.tree import Path
from stepward.domain.nearest import did_you_mean
from stepward.tasks.catalog import CATALOG, find_type
from stepward.workflows.documents import short_forms
from stepward.workflows.documents.aliases import (
    KNOWN_TO_TASKS,
    KNOWN_TO_WORKFLOWS,
    WORKFLOW_NAMES,
    task_names,
)
from stepward.workflows.documents.short_forms import Location, SourceMap
from stepward.workflows.documents.type_inference import infer_type

# The two ways in: a text, or values.


_BEGINNING: Final = "id:, name:, version:, tasks:"


def read(text: str | bytes, kind: Kind = "auto") -> Document:
    """Read a document's text and normalize it.

    Args:
        text: YAML or JSON.
        kind: Which of the two it is; `auto` decides by the text.

    Returns:
        The document; what is wrong with it is in its `problems`.

    Raises:
        Refused: The text cannot be read at all.
    """
    return normalized(read_document(text, kind, begin_with=_BEGINNING))


def document_of(tree: Any) -> Document:
    """Normalize a document given as values, as the API and the Python language do."""
    return normalized(Document(tree))


# The document.


_TOP = Location((), ())


def normalized(document: Document) -> Document:
    """Return a document in its long form; problems that are found are added to its own."""
    if not isinstance(document.tree, dict):
        return document
    source_map = SourceMap(document)
    said = source_map.renamed(document.tree, WORKFLOW_NAMES, KNOWN_TO_WORKFLOWS, _TOP)
    short_forms.take_error_handling(said, source_map, _TOP)
    _normalize_fields(said, document.tree, source_map)
    dependencies = said.pop("dependencies", None)
    if isinstance(said.get("tasks"), dict | list):
        tasks = said["tasks"]
        tasks = dict(tasks) if isinstance(tasks, dict) else list(tasks)
        said["tasks"] = normalize_tasks(tasks, Location(("tasks",), ("tasks",)), source_map)
    if dependencies is not None:
        _depend(said.get("tasks"), dependencies, source_map)
    problems = (*document.problems, *source_map.problems)
    return replace(document, tree=said, origins=source_map.origins, problems=problems)


def _normalize_fields(said: dict[str, Any], tree: dict[str, Any], source_map: SourceMap) -> None:
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
        said["retry"] = short_forms.retry(said["retry"], written, source_map, _TOP)


def _depend(tasks: Any, dependencies: Any, source_map: SourceMap) -> None:
    """Add what `dependencies` says of a task to its needs."""
    if not isinstance(dependencies, dict):
        fix = "write it as {task: [tasks that it needs]}"
        source_map.report(_TOP, "dependencies", "wrong-type", "dependencies must be a mapping", fix)
        return
    location = Location(("dependencies",), ("dependencies",))
    found = tasks if isinstance(tasks, list) else []
    known = {
        task["id"]: i
        for i, task in enumerate(found)
        if isinstance(task, dict) and isinstance(task.get("id"), str)
    }
    for name, needs in dependencies.items():
        index = known.get(name)
        if index is None:
            fix = did_you_mean(name, known, "name a task of the workflow itself")
            source_map.report(location, name, "missing-task", f"there is no task {name!r}", fix)
            continue
        _add_needs(found[index], index, listed_or_none(needs), name, source_map)


def listed_or_none(needs: Any) -> list[Any]:
    """Read the needs of one task; null means none."""
    found = short_forms.listed(needs)
    return found if isinstance(found, list) else []


def _add_needs(task: dict[str, Any], index: int, needs: list[Any], name: str, source_map: SourceMap) -> None:
    own = task.get("needs", [])
    if not isinstance(own, list):
        return
    for position, need in enumerate(needs):
        if need not in own:
            source_map.origins[("tasks", index, "needs", len(own))] = ("dependencies", name, position)
            own = [*own, need]
    if own:
        task["needs"] = own


# Tasks.


def normalize_tasks(value: Any, location: Location, source_map: SourceMap) -> Any:
    """Normalize the tasks of a workflow or a body, given as a list or as a mapping by id.

    `location` is the location of the value itself.
    """
    if isinstance(value, dict):
        value = [
            _with_id(name, one, index, location, source_map)
            for index, (name, one) in enumerate(value.items())
        ]
    if not isinstance(value, list):
        return value
    for index, one in enumerate(value):
        if isinstance(one, dict):
            at = (*location.at, index)
            source = source_map.origins.get(at, (*location.source, index))
            value[index] = normalize_task(one, Location(at, source, _path(location.task, one)), source_map)
    bind_outputs(value, location, source_map)
    return value


def _path(container: str | None, task: dict[str, Any]) -> str:
    return f"{container}.{task.get('id', '?')}" if container else str(task.get("id", "?"))


def _with_id(name: str, task: Any, index: int, location: Location, source_map: SourceMap) -> Any:
    source = (*location.source, name)
    source_map.origins[(*location.at, index)] = source
    source_map.origins[(*location.at, index, "id")] = source
    if not isinstance(task, dict):
        return task
    if task.get("id", name) != name:
        inner = Location((*location.at, index), source, name)
        source_map.report(
            inner,
            "id",
            "one-field-twice",
            f"the task is called {name!r} and {task['id']!r}",
            "leave `id` out",
        )
    return {**task, "id": name}


def normalize_task(task: dict[str, Any], location: Location, source_map: SourceMap) -> dict[str, Any]:
    """Normalize one task and the tasks within it."""
    said = source_map.renamed(task, task_names(task), KNOWN_TO_TASKS, location)
    short_forms.take_error_handling(said, source_map, location)
    if "settings" in said:
        detail, fix = "a task has no field 'settings'", "write what is in it beside the other fields"
        source_map.report(location, "settings", "unknown-field", detail, fix)
        del said["settings"]
    infer_type(said, task, location, source_map)
    _normalize_task_fields(said, task, location, source_map)
    if "tasks" in said:
        said["tasks"] = _body(said["tasks"], task, location, source_map)
    if isinstance(said.get("compensate"), dict):
        inner = Location(
            (*location.at, "compensate"), (*location.source, "compensate"), f"{location.task}.compensate"
        )
        said["compensate"] = normalize_task({"id": "undo", **said["compensate"]}, inner, source_map)
    return said


def _normalize_task_fields(
    said: dict[str, Any], task: dict[str, Any], location: Location, source_map: SourceMap
) -> None:
    kind = said.get("type")
    questions = find_type(kind).questions if isinstance(kind, str) and kind in CATALOG else ()
    forms = {
        **dict.fromkeys(("needs", "then", "otherwise"), short_forms.listed),
        **dict.fromkeys(("when", *questions), short_forms.as_expression),
        "timeout_s": short_forms.whole,
        "next": short_forms.transitions,
        "fallback": short_forms.fallback,
        "on_error": short_forms.error_rule,
    }
    for name, form in forms.items():
        if name in said:
            said[name] = form(said[name])
    if "retry" in said:
        written = next((w for w in ("retry", "retry_config", "max_retries") if w in task), "retry")
        said["retry"] = short_forms.retry(said["retry"], written, source_map, location)


def _body(value: Any, task: dict[str, Any], location: Location, source_map: SourceMap) -> Any:
    """Normalize the tasks within a task; `do` may also be the one task itself."""
    written = next((name for name in ("tasks", "do", "parallel") if task.get(name) is not None), "tasks")
    source: Path = (*location.source, written)
    inner = Location((*location.at, "tasks"), source, location.task)
    if written == "do" and isinstance(value, dict):
        source_map.origins[(*inner.at, 0)] = source
        value = [{"id": "do", **value}]
    elif isinstance(value, list):
        value = list(value)
    return normalize_tasks(value, inner, source_map)


# `outputs: {name: task.input}` becomes an input of the task that takes it.


def bind_outputs(tasks: list[Any], location: Location, source_map: SourceMap) -> None:
    """Turn the `outputs` of the tasks of one body into inputs of the tasks that they name."""
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
        at = (*location.at, indexes[name])
        source = source_map.origins.get(at, (*location.source, indexes[name]))
        path = f"{location.task}.{name}" if location.task else name
        if isinstance(outputs, dict):
            inner = Location((*at, "outputs"), (*source, "outputs"), path)
            for output, target in outputs.items():
                _bind(name, output, target, known, inner, source_map)
        else:
            fix = "write it as {name: task.input}"
            source_map.report(
                Location(at, source, path), "outputs", "wrong-type", "outputs must be a mapping", fix
            )


def _bind(
    name: str,
    output: str,
    target: Any,
    known: dict[str, dict[str, Any]],
    location: Location,
    source_map: SourceMap,
) -> None:
    task, _, field = target.partition(".") if isinstance(target, str) else ("", "", "")
    taker = known.get(task)
    if taker is None or not field:
        detail = f"the output {output!r} goes to {target!r}, which is not an input of a task beside it"
        source_map.report(
            location, output, "missing-task", detail, did_you_mean(task, known, "write it as task.input")
        )
        return
    inputs = taker.setdefault("with", {})
    needs = taker.setdefault("needs", [])
    if not isinstance(inputs, dict) or not isinstance(needs, list):
        return
    if field in inputs:
        detail = f"the input {field!r} of {task!r} is given twice"
        source_map.report(
            location, output, "one-field-twice", detail, f"take it out of `outputs` or of {task!r}"
        )
        return
    taker["with"] = {**inputs, field: _reading(name, output)}
    taker["needs"] = [*needs, *([name] if name not in needs else [])]


def _reading(name: str, output: str) -> str:
    if output == "output":
        return f"{{% $tasks.{name} %}}"
    field = output if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", output) else f"`{output.replace('`', '')}`"
    return f"{{% $tasks.{name}.{field} %}}"
