"""How one agent uses a tool: which, under which name, with which settings."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain.ids import ToolName


class ToolUse(BaseModel):
    """A gallery tool as one agent uses it: under which name, with which settings."""

    model_config = ConfigDict(extra="forbid")

    tool: ToolName
    name: ToolName | None = None
    description: str | None = Field(default=None, max_length=2_000)
    config: dict[str, Any] = Field(default_factory=dict)

    @property
    def called(self) -> str:
        """The name by which the model calls it."""
        return self.name or self.tool
