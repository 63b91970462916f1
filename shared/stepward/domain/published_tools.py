"""Functions of your own that agents may call: what their folder publishes, and what passes between it and the platform."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from stepward.domain.conversation import Frozen
from stepward.domain.ids import ToolName
from stepward.domain.number_fields import Fraction
from stepward.domain.tools import Effect


class PublishedTool(Frozen):
    """One function as its folder describes it; `parameters` is the JSON Schema of an object."""

    function: ToolName
    description: str = Field(min_length=1, max_length=2_000)
    parameters: dict[str, Any]
    effect: Effect
    timeout_s: Fraction = Field(gt=0, le=240)


class ToolRoom(Frozen):
    """A folder of functions as it was published last; one that is gone has no tools any more."""

    room: str
    published_at: str
    tools: tuple[PublishedTool, ...] = Field(default=(), max_length=64)

    def tool(self, function: str) -> PublishedTool | None:
        """Find one of its functions."""
        return next((tool for tool in self.tools if tool.function == function), None)


class FunctionCall(Frozen):
    """What a folder is sent for one call. `call_id` is the same for every attempt at it."""

    v: Literal[1] = 1
    function: str
    arguments: dict[str, Any]
    tenant: str
    run: str
    call_id: str


DESCRIBE: dict[str, Any] = {"v": 1, "describe": True}
"""What a folder is asked at a deployment; it answers `{"v": 1, "tools": […]}`."""
