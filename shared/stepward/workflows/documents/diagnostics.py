"""Turn pydantic's validation errors into problems with task, field, position and fix."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.tree import Document, Path
from stepward.domain.ids import AGENT_ID_PATTERN, VERSION_PATTERN
from stepward.domain.nearest import did_you_mean
from stepward.domain.retries import Retry
from stepward.domain.workflows import (
    TASK_ID_PATTERN,
    Fallback,
    Policy,
    TaskDefinition,
    Transition,
    WorkflowDefinition,
)
from stepward.tasks.catalog import CATALOG
from stepward.workflows.documents.aliases import RETRY_NAMES, WORKFLOW_NAMES

_CODES: Final = {
    "extra_forbidden": "unknown-field",
    "missing": "missing-field",
    "string_pattern_mismatch": "malformed",
    "literal_error": "not-a-choice",
    "enum": "not-a-choice",
}
_FIXES: Final = {
    TASK_ID_PATTERN: "use up to 48 of the letters a to z and A to Z, digits and _, beginning with a letter",
    AGENT_ID_PATTERN: "use 2 to 63 small letters, digits and dashes, beginning with a letter",
    VERSION_PATTERN: "use three numbers, as in 1.0.0",
}
_KIND_FIXES: Final = {
    "bool": "use true or false, without quotes",
    "int": "use a whole number, without quotes",
    "string_too_long": "use a shorter text",
    "string_too_short": "use a longer text",
    "string": "use a text; quotes make one of anything",
    "dict": "write a mapping, as in {name: value}",
    "model": "write a mapping, as in {name: value}",
    "tuple": "write a list, as in [a, b]",
    "list": "write a list, as in [a, b]",
    "greater": "use a larger number",
    "less": "use a smaller number",
    "too_long": "use fewer",
    "too_short": "give at least one",
}
_SAID: Final = {
    "model_type": "{name}{shown} is no mapping",
    "dict_type": "{name}{shown} is no mapping",
    "tuple_type": "{name}{shown} is no list",
    "list_type": "{name}{shown} is no list",
    "too_short": "{name} has {actual_length} items, and {min_length} are the least",
    "too_long": "{name} has {actual_length} items, and {max_length} are the most",
}
"""Replacements for messages that pydantic gives in Python's terms."""
_WITHIN: Final[dict[str, type[BaseModel]]] = {
    "retry": Retry,
    "fallback": Fallback,
    "policy": Policy,
    "next": Transition,
}
_OTHER_NAMES: Final = {"retry": RETRY_NAMES}


def is_reported(detail: ErrorDetails) -> bool:
    """Return whether an error is the document's own.

    Pydantic counts a list as empty if each of its items has an error.
    """
    return not (detail["type"] == "too_short" and detail["input"])


def fault_of(document: Document, detail: ErrorDetails) -> Problem:
    """Turn one validation error into a problem."""
    path: Path = tuple(detail["loc"])
    task, field = place_of(document.tree, path)
    code, what = what_of(path, detail)
    problem = Problem(code=code, detail=what, fix=fix_of(path, detail), task=task, field=field or None)
    return document.problem(path, problem)


def what_of(path: Path, detail: ErrorDetails) -> tuple[str, str]:
    """Return the code and the message of a validation error."""
    return _CODES.get(detail["type"], "wrong-value"), _detail(path, detail)


def place_of(tree: Any, path: Path) -> tuple[str | None, str]:
    """Return the path of the task that a value belongs to, and the field within it."""
    ids: list[str] = []
    owned = 0
    for length, value in enumerate(_along(tree, path), start=1):
        if path[length - 1] == "compensate" and isinstance(value, dict):
            ids.append("compensate")
            owned = length
        elif _is_task(path[:length]) and isinstance(value, dict):
            ids.append(str(value.get("id", path[length - 1])))
            owned = length
    return ".".join(ids) or None, ".".join(map(str, path[owned:]))


def _along(tree: Any, path: Path) -> Iterator[Any]:
    for key in path:
        try:
            tree = tree[key]
        except (KeyError, IndexError, TypeError):
            return
        yield tree


def _is_task(path: Path) -> bool:
    """Return whether a path ends at a task.

    Only tasks have a number in `tasks`, and only within tasks or at the top.
    """
    if len(path) % 2 == 0 and path[0::2] == ("tasks",) * (len(path) // 2):
        return True
    rest = tuple(key for key in path if key != "compensate")
    return (
        len(path) >= 2 and path[-2] == "tasks" and isinstance(path[-1], int) and set(rest[0::2]) == {"tasks"}
    )


def _detail(path: Path, detail: ErrorDetails) -> str:
    name = str(path[-1]) if path else "the document"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        return f"there is no field {name!r}"
    if detail["type"] == "missing":
        return f"{name!r} is missing"
    value = detail["input"]
    if strange := strange_characters(value):
        return f"{name} {str(value)[:60]!r} holds {strange}"
    shown = f" {str(value)[:60]!r}" if isinstance(value, str | int | float | bool) else ""
    if detail["type"] in _SAID:
        return _SAID[detail["type"]].format(name=name, shown=shown, **(detail.get("ctx") or {}))
    return f"{name}{shown}: {message[:1].lower()}{message[1:]}"


def strange_characters(value: Any) -> str | None:
    """Name the characters of an id that are not ASCII and may look like others."""
    if not isinstance(value, str) or value.isascii():
        return None
    found = dict.fromkeys(char for char in value if not char.isascii())
    return ", ".join(
        f"{char} (U+{ord(char):04X} {unicodedata.name(char, 'unnamed')})" for char in list(found)[:3]
    )


def fix_of(path: Path, detail: ErrorDetails) -> str:
    """Return how to fix a validation error."""
    name = str(path[-1]) if path else "the document"
    if detail["type"] == "extra_forbidden":
        return did_you_mean(name, _known_at(path[:-1]), f"remove {name!r}")
    if detail["type"] == "missing":
        return f"add `type`: one of {', '.join(CATALOG)}" if name == "type" else f"add {name!r}"
    context = detail.get("ctx") or {}
    if "pattern" in context:
        return _FIXES.get(context["pattern"], f"it must match {context['pattern']}")
    if "expected" in context:
        return f"use {context['expected']}"
    by_kind = next((fix for kind, fix in _KIND_FIXES.items() if detail["type"].startswith(kind)), None)
    return by_kind or f"fix {name!r}"


def _known_at(path: Path) -> list[str]:
    for key in reversed(path):
        if isinstance(key, str) and key in _WITHIN:
            return [*_WITHIN[key].model_fields, *_OTHER_NAMES.get(key, ())]
    if not path:
        return [*WorkflowDefinition.model_fields, *WORKFLOW_NAMES, "dependencies", "error_handling"]
    return list(TaskDefinition.model_fields)
