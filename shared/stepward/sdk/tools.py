"""The tools' part of the client: what agents may use."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict, cast

from stepward.sdk.transport import Transport, path_to


class Tool(TypedDict):
    """A tool; a single one comes with its schemas: `parameters` of calls and, of the gallery's, `config`."""

    name: str
    description: str
    effect: str
    timeout_s: float
    source: str
    published_at: NotRequired[str]
    parameters: NotRequired[dict[str, Any]]
    config: NotRequired[dict[str, Any]]


class ToolClient:
    """Read which tools there are."""

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def list(self) -> list[Tool]:
        """List the gallery's tools, then those of your own folders."""
        return cast("list[Tool]", self._wire.get("/tools")["tools"])

    def show(self, name: str) -> Tool:
        """Read one with its schemas."""
        return cast("Tool", self._wire.get(path_to("tools", name)))
