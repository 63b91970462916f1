"""Takes what folders have published into an agent's version, so that a later deployment does not change its meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any

from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.published_tools import ToolRoom
from stepward.domain.tool_use import ToolUse


def with_snapshots(
    agent: AgentDefinition, published: Callable[[str], ToolRoom | None], kept: AgentDefinition | None
) -> AgentDefinition:
    """Fill in the settings of each `folder.function`: as they stand in the version if it is registered already.

    So the same file is the same version after any number of deployments. One look at the shelf a folder.
    """
    room = cache(published)
    known = {use.called: use for use in kept.tools} if kept else {}

    def filled() -> Iterator[ToolUse]:
        for index, use in enumerate(agent.tools):
            if "." not in use.tool:
                yield use
                continue
            before = known.get(use.called)
            if before and before.tool == use.tool:
                yield use.model_copy(update={"config": before.config})
            else:
                yield use.model_copy(update={"config": _snapshot(use, room, f"tools.{index}")})

    return agent.model_copy(update={"tools": list(filled())})


def _snapshot(use: ToolUse, room: Any, field: str) -> dict[str, Any]:
    folder, _, function = use.tool.partition(".")
    found: ToolRoom | None = room(folder)
    tool = found.tool(function) if found else None
    if tool is None:
        offered = [one.function for one in found.tools] if found else []
        near = get_close_matches(function, offered, n=1)
        raise InvalidRequest(
            f"no function {use.tool!r} is published.",
            field=f"{field}.tool",
            fix=f"did you mean '{folder}.{near[0]}'?" if near else "GET /tools lists those that are",
        )
    if use.config and not use.config.keys() <= {"room", *type(tool).model_fields}:
        raise InvalidRequest(
            f"{use.tool!r} takes no settings.", field=f"{field}.config", fix="leave `config` out"
        )
    return {"room": folder, **tool.model_dump(mode="json")}
