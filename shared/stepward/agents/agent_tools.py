"""Tools that agents may use: the catalog's, and those that folders of functions publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stepward.agents.requests import gathered
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest, ModelFault, NotFound, ToolFailed
from stepward.domain.ids import TOOL_REFERENCE_PATTERN, check_id
from stepward.domain.nearest import did_you_mean, nearest
from stepward.domain.tools import DESCRIBE, PublishedTool, ToolFolder, ToolUse
from stepward.ports.clock import Clock, iso
from stepward.ports.tool_services import Functions, PublishedTools
from stepward.tools.catalog import CATALOG, find_tool

FolderOf = Callable[[str], ToolFolder | None]
"""Looks up what a folder has published."""


def with_snapshots(
    agent: AgentDefinition, published: FolderOf, kept: AgentDefinition | None
) -> AgentDefinition:
    """Fill in the settings of each `folder.function`, or keep those of the registered version.

    So the same file is the same version after any number of deployments. Reads what is published once per
    folder.

    So the same file is the same version after any number of deployments. One read of what is published a folder.
    """
    folder_of = cache(published)
    _refuse_unpublished(agent, folder_of, kept)
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
                yield use.model_copy(update={"config": _snapshot(use, folder_of, f"tools.{index}")})

    return agent.model_copy(update={"tools": list(filled())})


def _refuse_unpublished(agent: AgentDefinition, folder_of: FolderOf, kept: AgentDefinition | None) -> None:
    """Refuse all that is not published at once; what a version has kept it may go on with."""
    before = {(use.called, use.tool) for use in kept.tools} if kept else set()
    gathered(
        partial(_snapshot, use, folder_of, f"tools.{index}")
        for index, use in enumerate(agent.tools)
        if "." in use.tool and (use.called, use.tool) not in before
    )


def _snapshot(use: ToolUse, folder_of: FolderOf, field: str) -> dict[str, Any]:
    settings = settings_of_own(use.tool, folder_of)
    if settings is None:
        raise InvalidRequest(
            f"no function {use.tool!r} is published.",
            field=f"{field}.tool",
            fix=instead_of(use.tool, folder_of),
        )
    if not use.config.keys() <= settings.keys():
        raise InvalidRequest(
            f"{use.tool!r} takes no settings.", field=f"{field}.config", fix="leave `config` out"
        )
    return settings


def settings_of_own(tool: str, folder_of: FolderOf) -> dict[str, Any] | None:
    """Return the settings that a `folder.function` publishes now; None if it publishes none."""
    folder, _, function = tool.partition(".")
    found = folder_of(folder)
    published = found.tool(function) if found else None
    return {"room": folder, **published.model_dump(mode="json")} if published else None


def instead_of(tool: str, folder_of: FolderOf) -> str:
    """Say what a function that is not published was meant to be."""
    folder, _, function = tool.partition(".")
    found = folder_of(folder)
    near = nearest(function, [one.function for one in found.tools] if found else [])
    return f"did you mean '{folder}.{near}'?" if near else "GET /tools lists those that are"


_SHOWN_CHARS: Final = 500


class _Description(BaseModel):
    """What a folder answers when it is asked to describe itself."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    tools: tuple[PublishedTool, ...] = Field(max_length=64)


@dataclass(frozen=True)
class PublishTools:
    """The use case behind `tool_publisher`; `folders` are the folders that are deployed now."""

    functions: Functions
    published: PublishedTools
    clock: Clock
    folders: Sequence[str]

    def __call__(self) -> dict[str, int]:
        """Publish every folder; fail at the end if one did not answer, so that all is retried."""
        now, offered, faults = iso(self.clock.now()), dict[str, int](), list[str]()
        for folder in self.folders:
            try:
                tools = self._asked(folder)
            except ModelFault as fault:
                faults.append(f"{folder}: {fault.detail}")
                continue
            self.published.put(ToolFolder(room=folder, published_at=now, tools=tools))
            offered[folder] = len(tools)
        for gone in self.published.folders():
            if gone.tools and gone.room not in self.folders:
                self.published.put(ToolFolder(room=gone.room, published_at=now))
                offered[gone.room] = 0
        if faults:
            raise ToolFailed("; ".join(faults)[:_SHOWN_CHARS])
        return offered

    def _asked(self, folder: str) -> tuple[PublishedTool, ...]:
        answer: Any = self.functions.own(folder, DESCRIBE)
        try:
            return _Description.model_validate(answer).tools
        except ValidationError as error:
            raise ToolFailed(f"it does not describe its tools: {error.errors()[0]['msg']}") from error


def list_tools(published: PublishedTools) -> list[dict[str, Any]]:
    """List all tools by name, each with what it does and what a second execution would do."""
    return [*(_of_catalog(name) for name in sorted(CATALOG)), *(_brief(one) for one in _published(published))]


def show_tool(published: PublishedTools, name: str) -> dict[str, Any]:
    """Show one tool in full.

    Raises:
        NotFound: There is none; the fix names the nearest one.
    """
    check_id("tool", name, TOOL_REFERENCE_PATTERN)
    known = {one["name"]: one for one in _published(published)}
    if name in known:
        return known[name]
    try:
        tool = find_tool(name) if "." not in name else None
    except InvalidRequest:
        tool = None
    if tool is None:
        fix = did_you_mean(name, [*CATALOG, *known], "GET /tools lists those that exist")
        raise NotFound(f"there is no tool {name!r}.", field="tool", fix=fix)
    return {**_of_catalog(name), "config": tool.settings.model_json_schema(), "parameters": tool.schema()}


def _of_catalog(name: str) -> dict[str, Any]:
    tool = find_tool(name)
    return {
        "name": name,
        "description": tool.description,
        "effect": str(tool.effect),
        "timeout_s": tool.timeout_s,
        "source": "gallery",
    }


def _published(published: PublishedTools) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{folder.room}.{tool.function}",
            "description": tool.description,
            "effect": str(tool.effect),
            "timeout_s": tool.timeout_s,
            "source": f"functions/{folder.room}",
            "published_at": folder.published_at,
            "parameters": tool.parameters,
        }
        for folder in published.folders()
        for tool in folder.tools
    ]


def _brief(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name != "parameters"}
