"""Leaves out of a document what does not fit the model, so that one wrong field does not hide what else is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from stepward.domain.documents.tree import Path

UNKNOWN_TYPE: Final = "?"
"""Stands where a task says no type: the checks know that this was told already."""
_STAND_INS: Final[Mapping[str, Any]] = {"name": "unnamed", "version": "0.0.0", "type": UNKNOWN_TYPE}


def mended(tree: Any, places: Sequence[Path]) -> Any:
    """Give a copy of a tree without the fields at these places; what cannot be left out gets a stand-in."""
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
    """Let those who name a task with a bad id name its stand-in, so that it is told once and not once a mention."""
    if isinstance(value, dict):
        return {
            name: [renamed.get(one, one) if isinstance(one, str) else one for one in inner]
            if name in ("needs", "then", "otherwise") and isinstance(inner, list)
            else _follow(inner, renamed)
            for name, inner in value.items()
        }
    return [_follow(inner, renamed) for inner in value] if isinstance(value, list) else value
