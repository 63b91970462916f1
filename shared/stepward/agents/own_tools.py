"""Takes what folders have published into an agent's version, so that a later deployment does not change its meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache, partial
from typing import Any

from stepward.agents.refusals import gathered
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
    _refuse_unpublished(agent, room, kept)
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


def _refuse_unpublished(agent: AgentDefinition, room: Any, kept: AgentDefinition | None) -> None:
    """Refuse all that is not published at once; what a version has kept it may go on with."""
    before = {(use.called, use.tool) for use in kept.tools} if kept else set()
    gathered(
        partial(_snapshot, use, room, f"tools.{index}")
        for index, use in enumerate(agent.tools)
        if "." in use.tool and (use.called, use.tool) not in before
    )


def _snapshot(use: ToolUse, room: Any, field: str) -> dict[str, Any]:
    settings = settings_of_own(use.tool, room)
    if settings is None:
        raise InvalidRequest(
            f"no function {use.tool!r} is published.",
            field=f"{field}.tool",
            fix=instead_of(use.tool, room),
        )
    if not use.config.keys() <= settings.keys():
        raise InvalidRequest(
            f"{use.tool!r} takes no settings.", field=f"{field}.config", fix="leave `config` out"
        )
    return settings


def settings_of_own(tool: str, room: Callable[[str], ToolRoom | None]) -> dict[str, Any] | None:
    """Give what a `folder.function` is called with, as its folder publishes it now; None if it publishes none."""
    folder, _, function = tool.partition(".")
    found = room(folder)
    published = found.tool(function) if found else None
    return {"room": folder, **published.model_dump(mode="json")} if published else None


def instead_of(tool: str, room: Callable[[str], ToolRoom | None]) -> str:
    """Say what a function that is not published was meant to be."""
    folder, _, function = tool.partition(".")
    found = room(folder)
    near = get_close_matches(function, [one.function for one in found.tools] if found else [], n=1)
    return f"did you mean '{folder}.{near[0]}'?" if near else "GET /tools lists those that are"
