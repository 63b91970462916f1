"""Shows the tools that an agent may use: those of the gallery and those that folders have published."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from stepward.domain.errors import InvalidRequest, NotFound
from stepward.domain.ids import TOOL_REFERENCE_PATTERN, check_id
from stepward.ports.tool_shelf import ToolShelf
from stepward.tools.catalog import CATALOG, find_tool


def list_tools(shelf: ToolShelf) -> list[dict[str, Any]]:
    """List all tools by name, each with what it does and what a second execution would do."""
    return [*(_of_gallery(name) for name in sorted(CATALOG)), *(_brief(one) for one in _published(shelf))]


def show_tool(shelf: ToolShelf, name: str) -> dict[str, Any]:
    """Show one tool in full. Raises `NotFound`, with the nearest name."""
    check_id("tool", name, TOOL_REFERENCE_PATTERN)
    published = {one["name"]: one for one in _published(shelf)}
    if name in published:
        return published[name]
    try:
        tool = find_tool(name) if "." not in name else None
    except InvalidRequest:
        tool = None
    if tool is None:
        near = get_close_matches(name, [*CATALOG, *published], n=1)
        fix = f"did you mean {near[0]!r}?" if near else "GET /tools lists those that exist"
        raise NotFound(f"there is no tool {name!r}.", field="tool", fix=fix)
    return {**_of_gallery(name), "config": tool.settings.model_json_schema(), "parameters": tool.schema()}


def _of_gallery(name: str) -> dict[str, Any]:
    tool = find_tool(name)
    return {
        "name": name,
        "description": tool.description,
        "effect": str(tool.effect),
        "timeout_s": tool.timeout_s,
        "source": "gallery",
    }


def _published(shelf: ToolShelf) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{room.room}.{tool.function}",
            "description": tool.description,
            "effect": str(tool.effect),
            "timeout_s": tool.timeout_s,
            "source": f"functions/{room.room}",
            "published_at": room.published_at,
            "parameters": tool.parameters,
        }
        for room in shelf.rooms()
        for tool in room.tools
    ]


def _brief(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name != "parameters"}
