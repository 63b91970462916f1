"""Read which tools agents may use."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict, cast

from stepward.sdk.transport import Transport, path_to


class Tool(TypedDict):
    """A tool; `show` adds its schemas: `parameters` of calls, and `config`."""

    name: str
    description: str
    effect: str
    timeout_s: float
    source: str
    published_at: NotRequired[str]
    parameters: NotRequired[dict[str, Any]]
    config: NotRequired[dict[str, Any]]


class ToolClient:
    """Read which tools there are: `stepward.tools`.

    Example:
        >>> "calculate" in [tool["name"] for tool in stepward.tools.list()]
        True
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def list(self) -> list[Tool]:
        """List the catalog's tools, then those of your own folders.

        Returns:
            The tools, without their schemas.
        """
        return cast("list[Tool]", self._wire.get("/tools")["tools"])

    def show(self, name: str) -> Tool:
        """Return one tool with its schemas.

        Args:
            name: Its name, such as `calculate` or `order_tools.refund`.

        Returns:
            The tool.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("Tool", self._wire.get(path_to("tools", name)))
