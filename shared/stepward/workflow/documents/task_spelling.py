"""Gives tasks their long form: a type, an id, a list where a list is kept, and needs that were said elsewhere."""

from __future__ import annotations

from typing import Any

from stepward.domain.documents.tree import Path
from stepward.workflow.documents import short_forms
from stepward.workflow.documents.names import KNOWN_TO_TASKS, task_names
from stepward.workflow.documents.notes import Notes, Place
from stepward.workflow.documents.type_telling import tell_type
from stepward.workflow.documents.wires import lay_wires


def spell_tasks(value: Any, place: Place, notes: Notes) -> Any:
    """Spell out the tasks of a workflow or a body, given as a list or as a mapping of ids; `place` is the value's own."""
    if isinstance(value, dict):
        value = [_with_id(name, one, index, place, notes) for index, (name, one) in enumerate(value.items())]
    if not isinstance(value, list):
        return value
    for index, one in enumerate(value):
        if isinstance(one, dict):
            at = (*place.at, index)
            source = notes.origins.get(at, (*place.source, index))
            value[index] = spell_task(one, Place(at, source, _path(place.task, one)), notes)
    lay_wires(value, place, notes)
    return value


def _path(container: str | None, task: dict[str, Any]) -> str:
    return f"{container}.{task.get('id', '?')}" if container else str(task.get("id", "?"))


def _with_id(name: str, task: Any, index: int, place: Place, notes: Notes) -> Any:
    source = (*place.source, name)
    notes.origins[(*place.at, index)] = source
    notes.origins[(*place.at, index, "id")] = source
    if not isinstance(task, dict):
        return task
    if task.get("id", name) != name:
        inner = Place((*place.at, index), source, name)
        notes.tell(
            inner,
            "id",
            "one-field-twice",
            f"the task is called {name!r} and {task['id']!r}",
            "leave `id` out",
        )
    return {**task, "id": name}


def spell_task(task: dict[str, Any], place: Place, notes: Notes) -> dict[str, Any]:
    """Spell out one task and what is within it."""
    said = notes.renamed(task, task_names(task), KNOWN_TO_TASKS, place)
    short_forms.take_error_handling(said, notes, place)
    if "settings" in said:
        detail, fix = "a task has no field 'settings'", "write what is in it beside the other fields"
        notes.tell(place, "settings", "unknown-field", detail, fix)
        del said["settings"]
    tell_type(said, task, place, notes)
    _spell_fields(said, task, place, notes)
    if "tasks" in said:
        said["tasks"] = _body(said["tasks"], task, place, notes)
    if isinstance(said.get("compensate"), dict):
        inner = Place((*place.at, "compensate"), (*place.source, "compensate"), f"{place.task}.compensate")
        said["compensate"] = spell_task({"id": "undo", **said["compensate"]}, inner, notes)
    return said


def _spell_fields(said: dict[str, Any], task: dict[str, Any], place: Place, notes: Notes) -> None:
    expressions = ["when"]
    if said.get("type") == "loop":
        expressions.append("until")
    elif said.get("type") == "condition":
        expressions.append("test")
    forms = {
        **dict.fromkeys(("needs", "then", "otherwise"), short_forms.listed),
        **dict.fromkeys(expressions, short_forms.as_expression),
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
        said["retry"] = short_forms.retry(said["retry"], written, notes, place)


def _body(value: Any, task: dict[str, Any], place: Place, notes: Notes) -> Any:
    """Spell out the tasks within; `do` may also be the one task itself."""
    written = next((name for name in ("tasks", "do", "parallel") if task.get(name) is not None), "tasks")
    source: Path = (*place.source, written)
    inner = Place((*place.at, "tasks"), source, place.task)
    if written == "do" and isinstance(value, dict):
        notes.origins[(*inner.at, 0)] = source
        value = [{"id": "do", **value}]
    elif isinstance(value, list):
        value = list(value)
    return spell_tasks(value, inner, notes)
